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
  /** Which of these states are not current, by their names: `publicApi stopped, drain draining`; empty: none. */
  words(ids: readonly string[]): string;
  show(model: Pick<Model, 'machine' | 'way'>): void;
  /** Lights where a command would lead; null: nothing. */
  preview(command: { readonly name: string; readonly outlook: Foresight | undefined } | null): void;
}

interface Edge {
  readonly element: Element;
  /** Ids of the elements at its ends. */
  readonly source: string;
  readonly target: string;
}

export function chart(drawing: Element): Chart {
  const elementOf = (id: string): Element | null => drawing.querySelector(`#${CSS.escape(elementId(id))}`);
  const edges = [...drawing.querySelectorAll('.edge')].flatMap((element): Edge[] => {
    const [source, target] = element.id.split('-to-');
    return source && target ? [{ element, source, target }] : [];
  });
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
  const topOf = (id: string): number => stateOf(id)?.getBoundingClientRect().top ?? 0;
  const inOrder = (ids: readonly string[]): Region[] => regionsOf([...ids].sort((a, b) => topOf(a) - topOf(b)));

  function mark(name: string, elements: ReadonlySet<Element>): void {
    for (const element of drawing.querySelectorAll(`.${name}`)) {
      if (!elements.has(element)) element.classList.remove(name);
    }
    for (const element of elements) element.classList.add(name);
  }

  /** Where there is no room for the whole width, as on a phone: the topmost current state, which is what the node is for. */
  function bringIntoView(): void {
    const [first] = [...drawing.querySelectorAll('.node.active')].sort(
      (a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top,
    );
    if (first === undefined || drawing.scrollWidth <= drawing.clientWidth) return;
    const [box, frame] = [first.getBoundingClientRect(), drawing.getBoundingClientRect()];
    drawing.scrollBy({ left: (box.left + box.right) / 2 - (frame.left + frame.right) / 2 });
  }

  /** The edges that the steps of a command would take: the first one by the command itself, the others by what follows. */
  function wayOf(through: readonly (readonly string[])[], on: string): Element[] {
    const left = new Set([...statesOf(active)].map(({ id }) => id));
    return through.flatMap((ids, step) => {
      const entered = new Set([...statesOf(ids)].map(({ id }) => id));
      const taken = edges.filter(({ element: { classList }, source, target }) => {
        const fits = step === 0 ? classList.contains(on) : !classList.contains('command');
        return fits && source !== target && left.has(source) && entered.has(target);
      });
      for (const id of entered) left.add(id);
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
      const before = active.join();
      active = machine?.active ?? [];
      mark('active', statesOf(active));
      if (active.join() !== before) bringIntoView();
      mark('taken', new Set((way?.edges ?? []).map(elementOf).filter((one) => one !== null)));
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

/** States that have ended stand outside the regions. */
function regionsOf(active: readonly string[]): Region[] {
  return active.flatMap((id) => {
    const [, up, region, state, ...inner] = id.split('.');
    if (up !== undefined && region === undefined) return up === 'up' ? [] : [{ region: 'process', state: up }];
    return region !== undefined && state !== undefined && inner.length === 0 ? [{ region, state }] : [];
  });
}
