// The statechart on the page: highlights the current states, the last transition and the target of a command.
import { elementId } from '../../machines/diagram/diagram.ts';
import type { CommandPreview } from '../../machines/judge.ts';
import type { Model } from './model.ts';

export interface Region {
  readonly region: string;
  readonly state: string;
}

export interface Chart {
  /** The regions, each with its top-level state, in the order in which they are drawn: top to bottom, left to right. */
  readonly regions: readonly Region[];
  /** The names of those states that are not current: `publicApi stopped, drain draining`; empty: none. */
  words(ids: readonly string[]): string;
  show(model: Pick<Model, 'machine' | 'way'>): void;
  /** Highlights where a command would lead; null: removes the highlight. */
  preview(command: { readonly name: string; readonly outlook: CommandPreview | undefined } | null): void;
}

interface Edge {
  readonly element: Element;
  /** Names of the states it connects. */
  readonly source: string;
  readonly target: string;
}

/** A state or edge has the same name in the wide and the narrow drawing; only the prefix of its id differs. */
const nameOf = ({ id }: Element): string => id.replace(/^narrow-/, '');

/** @param drawing the element that holds the wide and the narrow drawing */
export function chart(drawing: Element): Chart {
  const named = new Map<string, Element[]>();
  for (const element of drawing.querySelectorAll('.state, .edge')) {
    named.set(nameOf(element), [...(named.get(nameOf(element)) ?? []), element]);
  }
  const elementsOf = (id: string): readonly Element[] => named.get(elementId(id)) ?? [];
  const edges = [...named.values()].flat().flatMap((element): Edge[] => {
    const [source, target] = nameOf(element).split('-by-', 1).join().split('-to-', 2);
    return source && target ? [{ element, source, target }] : [];
  });
  let active: readonly string[] = [];

  /** A state that is not drawn is shown by its nearest drawn ancestor. */
  function stateOf(id: string): readonly Element[] {
    let outer = id;
    while (elementsOf(outer).length === 0 && outer.includes('.')) outer = outer.slice(0, outer.lastIndexOf('.'));
    return elementsOf(outer);
  }

  const statesOf = (ids: readonly string[]): Set<Element> => new Set(ids.flatMap(stateOf));
  const namesOf = (ids: readonly string[]): Set<string> => new Set([...statesOf(ids)].map(nameOf));
  /** Only the visible drawing has client rectangles. The narrow drawing is several figures, side by side where they fit. */
  function placeOf(id: string): { readonly top: number; readonly left: number } {
    const shown = stateOf(id).find((element) => element.getClientRects().length > 0);
    return (shown?.closest('figure') ?? shown)?.getBoundingClientRect() ?? { top: 0, left: 0 };
  }
  function inOrder(ids: readonly string[]): Region[] {
    const places = new Map(ids.map((id) => [id, placeOf(id)]));
    const placed = [...places].sort(([, a], [, b]) => a.top - b.top || a.left - b.left);
    return regionsOf(placed.map(([id]) => id));
  }

  function mark(name: string, elements: ReadonlySet<Element>): void {
    for (const element of drawing.querySelectorAll(`.${name}`)) {
      if (!elements.has(element)) element.classList.remove(name);
    }
    for (const element of elements) element.classList.add(name);
  }

  /** The edges a command would take: the first by the command itself, the rest by the success of each step. */
  function wayOf(through: readonly (readonly string[])[], on: string): Element[] {
    const left = namesOf(active);
    return through.flatMap((ids, step) => {
      const entered = namesOf(ids);
      const taken = edges.filter(({ element: { classList }, source, target }) => {
        const isFailure = ['command', 'error', 'delay'].some((kind) => classList.contains(kind));
        const fits = step === 0 ? classList.contains(on) : !isFailure;
        return fits && source !== target && left.has(source) && entered.has(target);
      });
      for (const name of entered) left.add(name);
      return taken.map(({ element }) => element);
    });
  }

  return {
    get regions() {
      return inOrder(active);
    },
    words(ids) {
      const now = new Set(active);
      const news = inOrder(ids.filter((id) => !now.has(id)));
      return news.map(({ region, state }) => `${region} ${state}`).join(', ');
    },
    show({ machine, way }) {
      active = machine?.active ?? [];
      mark('active', statesOf(active));
      mark('taken', new Set((way?.edges ?? []).flatMap(elementsOf)));
    },
    preview(command) {
      const outlook = command?.outlook;
      if (!outlook?.legal) return mark('ahead', new Set());
      const [now, then] = [statesOf(active), statesOf(outlook.leadsTo)];
      const states = [...then].filter((state) => !now.has(state));
      mark('ahead', new Set([...states, ...wayOf(outlook.through, `on-${command?.name}`)]));
    },
  };
}

/** Final states of the process are outside the regions. */
function regionsOf(active: readonly string[]): Region[] {
  return active.flatMap((id) => {
    const [, up, region, state, ...inner] = id.split('.');
    if (up !== undefined && region === undefined) return up === 'up' ? [] : [{ region: 'process', state: up }];
    return region !== undefined && state !== undefined && inner.length === 0 ? [{ region, state }] : [];
  });
}
