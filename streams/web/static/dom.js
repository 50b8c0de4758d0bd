// Elements out of data. Text only ever becomes text: nothing here parses HTML.

export const byId = (id) => document.getElementById(id);

// el("p", {className: "note", "aria-hidden": "true"}, "text", child, …); children that are nothing are left out.
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null) continue;
    if (name.includes("-") || name === "for" || name === "role") node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children.filter((child) => child !== undefined && child !== null && child !== ""));
  return node;
}

export const percent = (share, digits = 0) => `${(share * 100).toFixed(digits)} %`;
export const clock = (ms) => new Date(ms).toLocaleTimeString([], { hourCycle: "h23" });
export const several = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

export function moment(ms) {
  const time = new Date(ms);
  const today = time.toDateString() === new Date().toDateString();
  return today ? clock(ms) : `${time.toLocaleDateString([], { month: "short", day: "numeric" })} ${clock(ms)}`;
}

// A bar of `share` (0 to 1), with a tick at `tick` if there is one. Style goes through the object model: the policy
// forbids style attributes.
export function bar(share, tick) {
  const part = (name, value) => {
    const node = el("span", { className: name });
    node.style.setProperty("--share", `${Math.min(100, 100 * value).toFixed(1)}%`);
    return node;
  };
  return el("div", { className: "track" }, part("fill", share), tick === undefined ? null : part("tick", tick));
}

// A label in pieces that may stand on two lines: OwnershipBorrow breaks before its B.
export function humps(label) {
  const parts = label.split(/(?<=[a-z])(?=[A-Z])/);
  return parts.flatMap((text, place) => (place ? [document.createElement("wbr"), text] : [text]));
}
