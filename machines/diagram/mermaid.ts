// A diagram as Mermaid text (stateDiagram-v2), which code hosts draw inside a README.
import { type Diagram, type DiagramEdge, type DiagramNode, elementId } from './diagram.ts';

/** @param options.active ids of the states to highlight; of nested states, the innermost is highlighted */
export function toMermaid(diagram: Diagram, { active = [] }: { readonly active?: readonly string[] } = {}): string {
  const lit = new Set(active);
  const roots = diagram.nodes.filter(({ parent }) => parent === null);
  const busy = diagram.nodes.filter(({ tags, id }) => tags.includes('busy') && !lit.has(id));
  const here = diagram.nodes.filter(({ id }) => lit.has(id) && childrenOf(diagram, id).length === 0);
  return [
    'stateDiagram-v2',
    '  direction LR',
    ...roots.flatMap((root) => scope(diagram, root, '  ')),
    '  classDef busy fill:#fff8e5,stroke:#9a6700,stroke-dasharray:5 3,color:#1f2328',
    '  classDef active fill:#ddf4ff,stroke:#0550ae,stroke-width:3px,color:#1f2328',
    ...classLine(busy, 'busy'),
    ...classLine(here, 'active'),
    '',
  ].join('\n');
}

const childrenOf = ({ nodes }: Diagram, id: string): DiagramNode[] => nodes.filter(({ parent }) => parent === id);

const nameOf = (id: string): string => elementId(id).replaceAll('-', '_');

const classLine = (nodes: readonly DiagramNode[], name: string): string[] =>
  nodes.length > 0 ? [`  class ${nodes.map(({ id }) => nameOf(id)).join(',')} ${name}`] : [];

/**
 * The content of a state. An edge is written in the innermost state that contains both ends, and before the states themselves:
 * Mermaid places a state where it was last named.
 */
function scope(diagram: Diagram, state: DiagramNode, indent: string): string[] {
  const children = childrenOf(diagram, state.id);
  const isParallel = state.kind === 'parallel';
  return [
    ...diagram.edges.filter((edge) => homeOf(edge) === state.id).map((edge) => indent + edgeText(diagram, edge)),
    ...children.filter(({ kind }) => kind === 'final').map(({ id }) => `${indent}${nameOf(id)} --> [*]`),
    ...children.filter(({ initial }) => initial && !isParallel).map(({ id }) => `${indent}[*] --> ${nameOf(id)}`),
    ...children.flatMap((child, place) => [
      ...(isParallel && place > 0 ? [`${indent}--`] : []),
      ...stateLines(diagram, child, indent),
    ]),
  ];
}

function stateLines(diagram: Diagram, state: DiagramNode, indent: string): string[] {
  const title = `${indent}state "${state.name}" as ${nameOf(state.id)}`;
  if (childrenOf(diagram, state.id).length === 0)
    return [title, ...state.invokes.map((actor) => `${indent}${nameOf(state.id)} : runs ${actor}`)];
  return [`${title} {`, ...scope(diagram, state, `${indent}  `), `${indent}}`];
}

/** The innermost state that contains both ends; a state does not contain itself, unless the edge leads inwards. */
function homeOf({ source, target }: DiagramEdge): string {
  if (target.startsWith(`${source}.`)) return source;
  const [from, to] = [source.split('.').slice(0, -1), target.split('.').slice(0, -1)];
  const apart = from.findIndex((part, place) => part !== to[place]);
  return (apart < 0 ? from : from.slice(0, apart)).join('.');
}

/** Mermaid cannot draw an edge from a state to its descendant: it starts at the outer state's initial state instead. */
function edgeText(diagram: Diagram, { source, target, labels }: DiagramEdge): string {
  const isInwards = target.startsWith(`${source}.`);
  const from = isInwards ? childrenOf(diagram, source).find(({ initial }) => initial) : undefined;
  const text = labels.map(({ text, guard }) => [text, ...(guard ? [`[${guard}]`] : [])].filter(Boolean).join(' '));
  const ends = `${nameOf(from?.id ?? source)} --> ${nameOf(target)}`;
  return text.length > 0 ? `${ends} : ${text.join('<br/>')}` : ends;
}
