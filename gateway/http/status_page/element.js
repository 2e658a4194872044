// Makes elements. Texts are always texts: nothing that came from elsewhere is ever read as markup.

export function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function drawn(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// columns: [{ title, number, long, of(row) }]. Scrolls sideways by itself where it is too wide.
export function table(caption, columns, rows, options = {}) {
  const head = columns.map((one) => element("th", { scope: "col", class: one.kind }, one.title));
  const body = rows.map((row) =>
    element(
      "tr",
      { class: options.rowClass?.(row) },
      ...columns.map((one, place) =>
        place === 0 && options.headed
          ? element("th", { scope: "row" }, one.of(row))
          : element("td", { class: one.kind, "data-status": one.status?.(row) }, one.of(row)),
      ),
    ),
  );
  return element(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    element(
      "table",
      {},
      element("caption", {}, caption),
      element("thead", {}, element("tr", {}, ...head)),
      element("tbody", {}, ...body),
    ),
  );
}
