/* Walks a feed of RPDE to its end and prints every finding of OpenActive's validator, and which pages it read. */
const { RpdeValidator } = require("@openactive/rpde-validator");

RpdeValidator(process.argv[2], { pageLimit: 100 }).then(({ pages }) => {
  const findings = pages.flatMap(({ errors }) => errors).map(({ severity, type, message, path }) => ({ severity, type, message, path }));
  console.log(JSON.stringify({ pages: pages.map(({ url }) => url), findings }));
});
