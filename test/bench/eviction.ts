// Compares eviction policies on synthetic traces: `npm run bench:eviction`. Prints hit ratios by objects and by bytes.
import { policies } from './eviction-policies.ts';

const objects = 20_000;
const requests = 400_000;
/** After so many requests, some objects change places in the order of popularity. */
const driftEvery = 2000;
const warmUp = requests / 4;
/** Share of all bytes that fits. */
const rooms = [0.01, 0.05, 0.2];
const skews = [0.7, 0.9, 1.1];

let state = 1;
/** Uniform, from 0 to 1, the same every time. */
function random(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) / 2 ** 32;
}

const normal = (): number => Math.sqrt(-2 * Math.log(random() || 1e-9)) * Math.cos(2 * Math.PI * random());

/** As in the network: as many thumbnails as videos, and some subtitles. */
function sizeOf(): number {
  const kind = random();
  const [median, sigma] = kind < 0.47 ? [40e6, 1.4] : kind < 0.94 ? [150e3, 0.8] : [30e3, 0.7];
  return Math.min(10e9, Math.max(500, Math.round(median * Math.exp(sigma * normal()))));
}

function ranks(skew: number): () => number {
  const sums: number[] = [];
  let sum = 0;
  for (let rank = 1; rank <= objects; rank += 1) {
    sum += rank ** -skew;
    sums.push(sum);
  }
  return () => {
    const wanted = random() * sum;
    let low = 0;
    let high = objects - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] as number) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

function trace(skew: number): { readonly ids: Uint32Array; readonly sizes: readonly number[] } {
  const sizes = Array.from({ length: objects }, sizeOf);
  const order = sizes.map((_, id) => id).sort(() => random() - 0.5);
  const rankOf = ranks(skew);
  const ids = Uint32Array.from({ length: requests }, (_, at) => {
    if (at % driftEvery === 0) {
      for (let moved = 0; moved < 20; moved += 1) {
        const [a, b] = [Math.floor(random() * objects), Math.floor(random() ** 4 * objects)];
        [order[a], order[b]] = [order[b] as number, order[a] as number];
      }
    }
    return order[rankOf()] as number;
  });
  return { ids, sizes };
}

const percent = (part: number, whole: number): string => ((100 * part) / whole).toFixed(1).padStart(7);

for (const skew of skews) {
  const { ids, sizes } = trace(skew);
  const all = sizes.reduce((sum, size) => sum + size, 0);
  console.log(`\nZipf ${skew}: ${objects} objects, ${Math.round(all / 1e9)} GB, ${requests} requests`);
  console.log(`${'room'.padEnd(20)}${rooms.map((room) => `${room * 100} %: objects  bytes`.padStart(22)).join('')}`);
  const rows = new Map<string, string>();
  for (const room of rooms) {
    for (const policy of policies(room * all)) {
      let [hits, asked, hitBytes, askedBytes] = [0, 0, 0, 0];
      for (const [at, id] of ids.entries()) {
        const size = sizes[id] as number;
        const isHit = policy.request(id, size);
        if (at < warmUp) continue;
        asked += 1;
        askedBytes += size;
        if (isHit) [hits, hitBytes] = [hits + 1, hitBytes + size];
      }
      const cells = `${percent(hits, asked).padStart(15)}${percent(hitBytes, askedBytes)}`;
      rows.set(policy.name, `${rows.get(policy.name) ?? policy.name.padEnd(20)}${cells}`);
    }
  }
  for (const row of rows.values()) console.log(row);
}
