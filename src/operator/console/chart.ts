// The statechart on the page: which states are lit, which way the machine came, where a command would lead.
import { elementId } from '../../../machines/diagram.ts';
import type { Foresight } from '../../../machines/judge.ts';
import type { Model } from './model.ts';

export interface Region {
  readonly region: string;
  readonly state: string;
}

export interface Chart {
  /** The regions with the state that the operator sees in each, as they are drawn from the top down. */
  readonly regions: readonly Region[];
  show(model: Pick<Model, 'machine' | 'way'>): void;
  /** Lights where a command would lead; null: nothing. */
  preview(command: { readonly name: string; readonly outlook: Foresight | undefined } | null): void;
}

export function chart(drawing: Element): Chart {
  const elementOf = (id: string): Element | null => drawing.querySelector(`#${CSS.escape(elementId(id))}`);
  let active: readonly string[] = [];

  /** A state that the drawing has folded away is shown by the one that holds it. */
  function stateOf(id: string): Element | null {
    for (let outer = id; outer.includes('.'); outer = outer.slice(0, outer.lastIndexOf('.'))) {
      const element = elementOf(outer);
      if (element !== null) return element;
    }
    return null;
  }

  const statesOf = (ids: readonly string[]): Set<Element> => new Set(ids.map(stateOf).filter((one) => one !== null));

  /** Likewise for an edge between states that have been folded away. */
  function edgeOf(id: string): Element | null {
    const [source = '', target = ''] = id.split(' to ').map((end) => stateOf(end)?.id);
    return elementOf(id) ?? drawing.querySelector(`#${CSS.escape(`${source}-to-${target}`)}`);
  }

  function mark(name: string, elements: ReadonlySet<Element>): void {
    for (const element of drawing.querySelectorAll(`.${name}`))
      if (!elements.has(element)) element.classList.remove(name);
    for (const element of elements) element.classList.add(name);
  }

  const topOf = (id: string): number => stateOf(id)?.getBoundingClientRect().top ?? 0;

  return {
    get regions() {
      return regionsOf([...active].sort((a, b) => topOf(a) - topOf(b)));
    },
    show({ machine, way }) {
      active = machine?.active ?? [];
      mark('active', statesOf(active));
      mark('taken', new Set((way?.edges ?? []).map(edgeOf).filter((one) => one !== null)));
    },
    preview(command) {
      const outlook = command?.outlook;
      if (!outlook?.legal) {
        mark('ahead', new Set());
        return;
      }
      const now = statesOf(active);
      const states = [...statesOf(outlook.leadsTo)].filter((state) => !now.has(state));
      const edges = [...drawing.querySelectorAll(`.${CSS.escape(`on-${command?.name}`)}`)].filter(({ id }) =>
        [...now].some((state) => id.startsWith(`${state.id}-to-`)),
      );
      mark('ahead', new Set([...states, ...edges]));
    },
  };
}

/** States that have ended stand outside the regions. */
function regionsOf(active: readonly string[]): Region[] {
  return active.flatMap((id) => {
    const [, up, region, state, ...inner] = id.split('.');
    if (up !== undefined && region === undefined) return up === 'up' ? [] : [{ region: 'process', state: up }];
    return region !== undefined && state !== undefined && inner.length === 0 ? [{ region, state }] : [];
  });
}

/** The states of an outlook that are new, by their names: `publicApi stopped, drain draining`. */
export function leadsToText(leadsTo: readonly string[], active: readonly string[]): string {
  const before = new Set(active);
  const news = regionsOf(leadsTo.filter((id) => !before.has(id)));
  return news.map(({ region, state }) => `${region} ${state}`).join(', ');
}
