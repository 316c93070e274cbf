// A machine's diagram as SVG, drawn by Graphviz.
import { Graphviz } from '@hpcc-js/wasm-graphviz';

/** A text as placed by Graphviz: `pt` is its left end (`align` `l`), `width` the width Graphviz assumed. */
interface PlacedText {
  readonly op: string;
  readonly pt?: readonly [number, number];
  readonly width?: number;
  readonly align?: string;
}

/**
 * Lays out DOT text. Graphviz does not know the reader's fonts, so the text is drawn at 6/7 of the layout size, centred in place:
 * no label leaves its box.
 */
export async function dotToSvg(dot: string): Promise<string> {
  const graphviz = await Graphviz.load();
  const middles = middlesOf(graphviz.dot(dot, 'json'));
  return graphviz
    .dot(dot, 'svg')
    .replace(/^[\s\S]*?<svg/, '<svg')
    .replace(/<!--[\s\S]*?-->\n?/g, '')
    .replace(/text-anchor="start" x="(-?[\d.]+)" y="(-?[\d.]+)"/g, (text, x: string, y: string) => {
      const middle = middles.get(placeKey(Number(x), -Number(y)));
      return middle === undefined ? text : `text-anchor="middle" x="${middle.toFixed(2)}" y="${y}"`;
    })
    .replace(/font-size="([\d.]+)"/g, (_, size: string) => `font-size="${((Number(size) * 6) / 7).toFixed(1)}"`);
}

/** Coordinates agree in both formats up to rounding. */
const placeKey = (x: number, y: number): string => `${x.toFixed(1)} ${y.toFixed(1)}`;

function middlesOf(json: string): Map<string, number> {
  const middles = new Map<string, number>();
  JSON.parse(json, (_, value: unknown) => {
    const { op, pt, width, align } = (value ?? {}) as PlacedText;
    if (op === 'T' && pt && width !== undefined && align === 'l') middles.set(placeKey(...pt), pt[0] + width / 2);
    return value;
  });
  return middles;
}

/**
 * The same drawing for a page with its own style sheet: shapes, positions, ids and classes, no colours or fonts.
 * Bold text has the class `name`. Sizes are in pixels.
 * @param prefix before every id, for pages with several drawings
 */
export function unpainted(svg: string, prefix = ''): string {
  return svg
    .replaceAll('&#45;', '-')
    .replace(/<svg width="(\d+)pt" height="(\d+)pt"\s+(viewBox="[^"]*")[^>]*>/, '<svg width="$1" height="$2" $3>')
    .replace(/\n<title>[^<]*<\/title>/g, '')
    .replace(/<polygon [^>]*stroke="none"[^>]*\/>\n/, '')
    .replace(/<text[^>]*>[\s\u00a0]*<\/text>\n/g, '')
    .replaceAll('font-weight="bold"', 'class="name"')
    .replace(/ (?:fill|stroke|stroke-width|stroke-dasharray|font-family|font-size|font-style|xml:space)="[^"]*"/g, '')
    .replaceAll('class="edge edge', 'class="edge')
    .replaceAll(' id="', ` id="${prefix}`);
}
