/* Reads a calendar from its input as Thunderbird does, and prints what it understood. */
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const calendar = new ICAL.Component(ICAL.parse(readFileSync(0, "utf8")));
const events = calendar.getAllSubcomponents("vevent").map((component) => {
  const event = new ICAL.Event(component, { strictExceptions: true });
  const { uid, summary, description, location, sequence } = event;
  const [start, end] = [event.startDate, event.endDate].map((at) => (at.isDate ? at.toString() : at.toJSDate().toISOString()));
  return { uid, summary, description, location, sequence, start, end, status: component.getFirstPropertyValue("status") };
});
console.log(JSON.stringify({ name: calendar.getFirstPropertyValue("name"), events }));
