"""What a website shows of the catalogue without building anything: an element and the page that demonstrates it."""
