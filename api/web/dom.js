/* Building the page. Text only ever becomes text nodes, so nothing that a file says is taken as markup. */

const SVG = "http://www.w3.org/2000/svg";

/** Return the element with this id. */
export const byId = (id) => document.getElementById(id);

/**
 * Return a new element: `el("p.note", {id: "x"}, "text", child)`.
 * Properties: attributes; `on` maps events to listeners; `null`, `undefined` and `false` leave an attribute out.
 */
export function el(spec, properties = {}, ...children) {
  const [tag, ...classes] = spec.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  const { on = {}, ...attributes } = properties;
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  element.setAttribute(name, value === true ? "" : String(value));
}

/** Return a new SVG element with these attributes. */
export function svg(tag, attributes = {}) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  return element;
}

/** Return one of the drawings at the top of index.html. */
export function icon(name, className = "icon") {
  const drawing = svg("svg", { class: className, "aria-hidden": "true" });
  drawing.append(svg("use", { href: `#icon-${name}` }));
  return drawing;
}

/** Return a button. */
export function button(label, onClick, { kind = "secondary", ...attributes } = {}) {
  return el(`button.${kind}`, { type: "button", on: { click: onClick }, ...attributes }, label);
}

/** Say `text` to people who listen to the page. */
export function announce(text) {
  byId("live").textContent = text;
}

/**
 * Make the buttons in `container` one tab stop, with the arrow keys moving between them.
 * `onMove(index)` is called when one takes the focus.
 */
export function roving(container, onMove) {
  const items = () => [...container.querySelectorAll("button")];
  const settle = (current) => items().forEach((item) => { item.tabIndex = item === current ? 0 : -1; });
  settle(container.querySelector("[aria-pressed='true']") ?? items()[0]);
  container.addEventListener("focusin", (event) => {
    const index = items().indexOf(event.target);
    if (index < 0) return;
    settle(event.target);
    onMove(index);
  });
  container.addEventListener("keydown", (event) => {
    const list = items();
    const to = STEPS[event.key]?.(list.indexOf(document.activeElement), list.length);
    if (to === undefined) return;
    event.preventDefault();
    list[Math.min(Math.max(to, 0), list.length - 1)].focus();
  });
}

const STEPS = {
  ArrowRight: (index) => index + 1,
  ArrowDown: (index) => index + 1,
  ArrowLeft: (index) => index - 1,
  ArrowUp: (index) => index - 1,
  Home: () => 0,
  End: (index, length) => length - 1,
};
