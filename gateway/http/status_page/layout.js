// Where everything of the map is: columns of boxes, wide; two drawings of two columns, narrow.

const NARROW = 760;
const GAP = 12;
const HEAD = 26;

const SIZES = {
  caller: { height: 40 },
  operation: { height: 40 },
  core: { height: 112 },
  system: { height: 78 },
};

export function drawings(map, width) {
  const callers = { title: "Callers", kind: "caller", nodes: map.callers };
  const operations = { title: "Operations", kind: "operation", nodes: map.operations };
  const core = { title: "", kind: "core", nodes: [{ name: "gateway", ...map.gateway }] };
  const systems = { title: "Systems", kind: "system", nodes: map.systems };
  const asks = map.asks.map((one) => edge("caller", "operation", one));
  const through = map.operations.map((one) => edge("operation", "core", { ...one, source: one.name, target: "gateway" }));
  const out = map.systems.map((one) =>
    edge("core", "system", { ...one, source: "gateway", target: one.name, told: true, status: one.status }),
  );
  if (width < NARROW) {
    const halves = { caller: [0, 0.4], operation: [0.54, 0.46], core: [0, 0.3], system: [0.46, 0.54] };
    return [
      placed("asks", [callers, operations], asks, width, halves),
      placed("systems", [core, systems], out, width, halves),
    ];
  }
  const columns = { caller: [0, 0.14], operation: [0.22, 0.2], core: [0.53, 0.12], system: [0.79, 0.21] };
  return [placed("whole", [callers, operations, core, systems], [...asks, ...through, ...out], width, columns)];
}

function edge(from, to, one) {
  return { ...one, from: `${from}:${one.source}`, to: `${to}:${one.target}`, leads: `${from}-${to}` };
}

function placed(name, columns, edges, width, shares) {
  const heights = columns.map(heightOf);
  const height = HEAD + Math.max(...heights, 60) + 6;
  const nodes = new Map();
  const heads = [];
  columns.forEach((column, place) => {
    const [left, share] = shares[column.kind];
    const x = Math.max(2, left * width);
    const boxWidth = share * width - 4;
    if (column.title) heads.push({ x, title: column.title, empty: column.nodes.length === 0 });
    let y = HEAD + (height - HEAD - heights[place]) / 2;
    for (const node of column.nodes) {
      const size = SIZES[column.kind];
      nodes.set(`${column.kind}:${node.name}`, { kind: column.kind, node, x, y, width: boxWidth, height: size.height });
      y += size.height + GAP;
    }
  });
  const known = edges.filter((one) => nodes.has(one.from) && nodes.has(one.to));
  return { name, width, height, heads, nodes, edges: known };
}

function heightOf(column) {
  return column.nodes.length * (SIZES[column.kind].height + GAP) - GAP;
}

// From the right side of one box to the left side of the other, with the place for a text on it.
export function line(from, to) {
  const [x1, y1] = [from.x + from.width, from.y + from.height / 2];
  const [x2, y2] = [to.x, to.y + to.height / 2];
  const bend = (x2 - x1) * 0.5;
  return {
    path: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`,
    length: x2 - x1,
    start: [x1 + 6, y1],
    end: [x2 - 8, y2],
  };
}

export function thickness(rate) {
  return rate > 0 ? Math.min(14, 1.5 + 3 * Math.log2(1 + rate)) : 1.5;
}
