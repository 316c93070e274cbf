// A diagram as DOT text for Graphviz: nested clusters, laid out at 14 pt, with element ids and classes for a style sheet.
import { type Diagram, type DiagramEdge, type DiagramNode, type EdgeLabel, elementId } from './diagram.ts';

export interface DrawingOptions {
  /** Ids of the states to highlight. */
  readonly active?: readonly string[];
  /** `LR`, from left to right, is the default; `TB`, from top to bottom, suits narrow pages. */
  readonly rankdir?: 'LR' | 'TB';
}

type Attributes = Readonly<Record<string, string | number>>;

const font = 'Helvetica,Arial,sans-serif';
const ink = '#1f2328';
const faint = '#57606a';
const line = '#8c959f';
const blue = '#0550ae';

/** Every kind of state must be recognizable without color, by frame and line width. */
const looks = {
  region: { style: 'rounded,filled', color: '#d0d7de', fillcolor: '#f6f8fa', penwidth: 1 },
  state: { style: 'rounded,filled', color: line, fillcolor: '#ffffff', penwidth: 1 },
  busy: { style: 'rounded,filled,dashed', color: '#9a6700', fillcolor: '#fff8e5', penwidth: 1 },
  active: { style: 'rounded,filled', color: blue, fillcolor: '#ddf4ff', penwidth: 2.5 },
} as const satisfies Record<string, Attributes>;

/** The whole drawing; states carry `id` and `class` (`state`, kind, tags, `active`), edges `id` and `class` (`edge`, kinds, `on-` and each command). */
export function toDot(diagram: Diagram, { active = [], rankdir = 'LR' }: DrawingOptions = {}): string {
  const lit = new Set(active);
  const roots = diagram.nodes.filter(({ parent }) => parent === null);
  return [
    `digraph ${quote(diagram.id)} {`,
    `  graph [${list({ compound: 'true', rankdir, nodesep: 0.3, ranksep: 0.3, pad: 0.1, bgcolor: '#ffffff' })}];`,
    `  graph [${list({ fontname: font, fontsize: 14, fontcolor: ink, labeljust: 'l' })}];`,
    `  node [${list({ fontname: font, fontsize: 14, fontcolor: ink, shape: 'box', height: 0.4, margin: '0.14,0.06' })}];`,
    `  edge [${list({ fontname: font, fontsize: 14, fontcolor: faint, color: line, arrowsize: 0.7 })}];`,
    ...roots.flatMap((root) => insides(diagram, root, lit)),
    ...diagram.edges.map((edge) => edgeLine(diagram, edge)),
    ...sinks(diagram, roots),
    '}',
    '',
  ].join('\n');
}

const childrenOf = ({ nodes }: Diagram, { id }: DiagramNode): DiagramNode[] =>
  nodes.filter(({ parent }) => parent === id);

/** The final state is drawn below all others. */
const sinks = (diagram: Diagram, roots: readonly DiagramNode[]): string[] =>
  roots
    .flatMap((root) => childrenOf(diagram, root))
    .filter(({ kind }) => kind === 'final')
    .map(({ id }) => `  { rank=sink; ${quote(id)}; }`);

/** The start dot of a state, and its children. */
function insides(diagram: Diagram, node: DiagramNode, lit: ReadonlySet<string>): string[] {
  const children = node.kind === 'parallel' ? stacked(diagram, node) : childrenOf(diagram, node);
  const first = children.find(({ initial }) => initial && node.kind !== 'parallel');
  return [
    ...(first ? beginning(diagram, node, first) : []),
    ...children.flatMap((child) => stateLines(diagram, child, lit)),
  ];
}

/** Drawing from left to right, Graphviz stacks from the bottom up: first the regions with a way out of all, then the others. */
function stacked(diagram: Diagram, node: DiagramNode): DiagramNode[] {
  const leads = ({ id }: DiagramNode) =>
    diagram.edges.some(({ source, target }) => contains(id, source) && !contains(node.id, target));
  const children = childrenOf(diagram, node);
  return [...children.filter(leads), ...children.filter((child) => !leads(child)).reverse()];
}

function beginning(diagram: Diagram, node: DiagramNode, first: DiagramNode): string[] {
  const dot = `start ${node.id}`;
  const head = leafOf(diagram, first);
  return [
    `  ${quote(dot)} [${list({ shape: 'point', width: 0.11, color: ink, class: 'start', label: '' })}];`,
    `  ${quote(dot)} -> ${quote(head.id)} [${list({ class: 'start', color: ink, ...(head === first ? {} : { lhead: clusterOf(first) }) })}];`,
  ];
}

function stateLines(diagram: Diagram, node: DiagramNode, lit: ReadonlySet<string>): string[] {
  const isLeaf = childrenOf(diagram, node).length === 0;
  const attributes = {
    id: elementId(node.id),
    class: ['state', node.kind, ...node.tags, ...(lit.has(node.id) ? ['active'] : [])].join(' '),
    ...lookOf(node, isLeaf, lit),
  };
  if (isLeaf)
    return [
      `  ${quote(node.id)} [${list({ ...attributes, peripheries: node.kind === 'final' ? 2 : 1 }, labelOf(node, 'center'))}];`,
    ];
  return [
    `  subgraph ${quote(clusterOf(node))} {`,
    `  graph [${list({ ...attributes, margin: 12 }, labelOf(node, 'left'))}];`,
    ...insides(diagram, node, lit),
    '  }',
  ];
}

function lookOf({ id, kind, tags }: DiagramNode, isLeaf: boolean, lit: ReadonlySet<string>): Attributes {
  if (lit.has(id) && isLeaf) return looks.active;
  if (tags.includes('busy')) return looks.busy;
  return isLeaf || kind === 'parallel' ? looks.state : looks.region;
}

/** The name, and below it the invoked actors and the handled events. */
function labelOf({ name, invokes, reactions }: DiagramNode, align: 'left' | 'center'): string {
  const more = [...invokes.map((actor) => `runs ${actor}`), ...reactions.map((event) => `on ${event}`)];
  const lines = [`<b>${escaped(name)}</b>`, ...more.map((text) => `<font color="${faint}">${escaped(text)}</font>`)];
  return html(lines.map((one) => `${one}<br align="${align}"/>`));
}

/** An edge that leads back up is written the other way round: Graphviz then ranks the states as the machine lists them. */
function edgeLine(diagram: Diagram, { id, source, target, labels }: DiagramEdge): string {
  const [from, to] = [endOf(diagram, source, target), endOf(diagram, target, source)];
  const isBack = placeOf(diagram, target) < placeOf(diagram, source);
  const [tail, head] = isBack ? [to, from] : [from, to];
  const isCommand = labels.some(({ kind }) => kind === 'command');
  const attributes = {
    id: elementId(id),
    class: edgeClasses(labels, isBack),
    ...(isBack ? { dir: 'back' } : {}),
    ...(tail.cluster ? { ltail: tail.cluster } : {}),
    ...(head.cluster ? { lhead: head.cluster } : {}),
    ...(isCommand ? { color: blue, penwidth: 1.8 } : {}),
  };
  const lines = labels.flatMap(edgeText);
  return `  ${quote(tail.leaf)} -> ${quote(head.leaf)} [${list(attributes, lines.length > 0 ? html(lines) : undefined)}];`;
}

/** `on-stop-api` for the command that sets it off; `back`: its path runs from head to tail. */
const edgeClasses = (labels: readonly EdgeLabel[], isBack: boolean): string => {
  const kinds = new Set(labels.map(({ kind }) => kind));
  const commands = labels.flatMap(({ kind, text }) => (kind === 'command' ? [`on-${text}`] : []));
  return ['edge', ...kinds, ...commands, ...(isBack ? ['back'] : [])].join(' ');
};

/** Graphviz draws edges between leaves only, and cuts them off at a cluster. */
function endOf(
  diagram: Diagram,
  id: string,
  other: string,
): { readonly leaf: string; readonly cluster: string | null } {
  const node = nodeNamed(diagram, id);
  const leaf = leafOf(diagram, node);
  return { leaf: leaf.id, cluster: leaf === node || contains(id, other) ? null : clusterOf(node) };
}

function edgeText({ kind, text, guard }: EdgeLabel): string[] {
  const trigger = kind === 'command' ? `<font color="${blue}"><b>${escaped(text)}</b></font>` : escaped(text);
  const condition = guard ? `<i>[${escaped(guard)}]</i>`.split(/ (?=and |or )/) : [];
  return [...(text ? [trigger] : []), ...condition].map((one) => `&#160;${one}&#160;<br/>`);
}

const placeOf = ({ nodes }: Diagram, id: string): number => nodes.findIndex((node) => node.id === id);

const contains = (outer: string, inner: string): boolean => inner.startsWith(`${outer}.`);

function nodeNamed({ nodes }: Diagram, id: string): DiagramNode {
  const node = nodes.find((one) => one.id === id);
  if (!node) throw new Error(`The diagram has an edge to ${id}, but no such state`);
  return node;
}

/** The leaf that represents a state: its initial one. */
function leafOf(diagram: Diagram, node: DiagramNode): DiagramNode {
  const children = childrenOf(diagram, node);
  const first = children.find(({ initial }) => initial) ?? children[0];
  return first ? leafOf(diagram, first) : node;
}

const clusterOf = ({ id }: DiagramNode): string => `cluster ${id}`;

const quote = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const html = (lines: readonly string[]): string => `<${lines.join('')}>`;

function list(attributes: Attributes, label?: string): string {
  const pairs = Object.entries(attributes).map(([key, value]) => `${key}=${quote(String(value))}`);
  return [...pairs, ...(label ? [`label=${label}`] : [])].join(' ');
}
