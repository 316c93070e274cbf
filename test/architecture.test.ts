// The rules of docs/architecture.md: layout, direction of imports, and what every file keeps to.
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { expect } from 'chai';

interface Import {
  /** Relative to the root of the project, e.g. `src/control/lock.ts`. */
  readonly from: string;
  /** Likewise; the name of a package or `node:…` where the target is not ours. */
  readonly to: string;
  readonly isType: boolean;
}

const root = new URL('../../', import.meta.url);

const filesIn = (folder: string): string[] =>
  readdirSync(new URL(`${folder}/`, root), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => posix.join(folder, name.replaceAll('\\', '/')));

const textOf = (file: string): string => readFileSync(new URL(file, root), 'utf8');

function importsOf(file: string): Import[] {
  const statements = textOf(file).matchAll(
    /^(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm,
  );
  return [...statements].map(([, type, plain, dynamic]) => {
    const target = plain ?? dynamic ?? '';
    const to = target.startsWith('.') ? posix.join(posix.dirname(file), target) : target;
    return { from: file, to, isType: type !== undefined };
  });
}

/** What may be at the top of `src/`, and nothing else. */
const topLevel = ['src/cli.ts', 'src/start.ts'];

/** Small things that every room needs and that know of no room. A new entry is a decision, not a habit. */
const base = [
  'append-lines',
  'append-queue',
  'atomic-file',
  'bucket-id',
  'condition',
  'content-hash',
  'diagram-svg',
  'errors',
  'half-close',
  'http-url',
  'listed-file',
  'media-type',
  'monotonic',
  'open-files',
  'port-refusal',
  'printable',
  'request-id',
  'signing-rules',
  'sync-directory',
  'timeout',
  'validate',
  'version',
  'yaml',
];

/** A room may import from the rows above its own; rooms in one row are siblings. */
const layers: readonly (readonly string[])[] = [
  ['machines'],
  ['base'],
  ['metrics', 'openapi'],
  ['ipc'],
  ['config'],
  ['log'],
  ['client'],
  ['sources', 'store'],
  ['directory', 'supervisor'],
  ['content', 'control', 'operator', 'public'],
  ['console'],
  ['start.ts'],
  ['cli'],
  ['cli.ts'],
];

/** Parts of a running node: `start.ts` hands one to another, so they know each other's ports alone, and only as types. */
const parts = ['store', 'sources', 'directory', 'content', 'supervisor', 'control', 'operator', 'public', 'console'];

/** What hands the parts of a process to each other: one composition root for each kind of process. */
const roots = ['src/content/content.ts', 'src/public/server-main.ts'];

/** A part that is the only writer of another, and so uses its functions too. */
const owners: Readonly<Record<string, string>> = { content: 'store' };

/** A port: the types by which one part of a node knows another. */
const ports = [
  'src/control/node-control.ts',
  'src/directory/directory.ts',
  'src/operator/audit/audit-entry.ts',
  'src/operator/events/readings.ts',
  'src/sources/source.ts',
  'src/store/object-index.ts',
  'src/supervisor/content-side.ts',
  'src/supervisor/public-side.ts',
];

/** `control` for `src/control/lock.ts`, `start.ts` for `src/start.ts`, `machines` for all below it. */
const roomOf = (file: string): string => (file.startsWith('machines/') ? 'machines' : (file.split('/')[1] ?? ''));

const isOurs = (path: string) => /^(?:machines|src)\//.test(path);

describe('the architecture', () => {
  const machines = filesIn('machines');
  const sources = filesIn('src');
  const imports = [...machines, ...sources].flatMap(importsOf);
  const described = (list: readonly Import[]) => list.map(({ from, to }) => `${from} imports ${to}`);
  const between = imports.filter(({ from, to }) => isOurs(to) && roomOf(from) !== roomOf(to));

  it('finds the imports at all', () => {
    expect(described(imports))
      .to.include('machines/judge.ts imports machines/node.ts')
      .and.include('machines/node.ts imports xstate');
  });

  it('keeps the machines pure: xstate and their siblings, nothing else', () => {
    const wrong = imports.filter(
      ({ from, to }) => from.startsWith('machines/') && to !== 'xstate' && !to.startsWith('machines/'),
    );
    expect(described(wrong)).to.deep.equal([]);
    const impure = machines.filter((file) =>
      /\b(?:process|setTimeout|setInterval|Date|fetch|console|Math\.random)\b[.(]/.test(textOf(file)),
    );
    expect(impure).to.deep.equal([]);
  });

  it('has only the composition root and the command line at the top of src/', () => {
    expect(sources.filter((file) => file.split('/').length === 2).sort()).to.deep.equal(topLevel);
  });

  it('keeps base/ a closed list', () => {
    const found = sources.filter((file) => file.startsWith('src/base/'));
    expect(found.sort()).to.deep.equal(base.map((name) => `src/base/${name}.ts`));
  });

  it('knows every room', () => {
    const rooms = new Set(sources.map(roomOf));
    expect([...rooms].sort()).to.deep.equal(layers.flat().slice(1).sort());
  });

  it('imports in one direction: a room knows only the rooms before it, or a port as a type', () => {
    const layerOf = (file: string) => layers.findIndex((rooms) => rooms.includes(roomOf(file)));
    const wrong = between.filter(
      ({ from, to, isType }) => layerOf(to) >= layerOf(from) && !(isType && ports.includes(to)),
    );
    expect(described(wrong)).to.deep.equal([]);
  });

  it('is described in docs/architecture.md', () => {
    const described = textOf('docs/architecture.md');
    expect(described).to.include(layers.map((rooms) => rooms.join(', ')).join(' ← '));
    expect(described).to.include(parts.map((room) => `\`${room}\``).join(', '));
    for (const file of [...roots, ...ports]) expect(described).to.include(`\`${file}\``);
  });

  it('has no folder for helpers, and no file that only re-exports', () => {
    const named = sources.filter((file) => /\/(?:helpers?|utils?)\//.test(file));
    const empty = sources.filter((file) => {
      const code = textOf(file).replace(/\/\/.*|\/\*[\s\S]*?\*\//g, '');
      return code.replace(/export (?:type )?(?:\*|\{[^}]*\}) from '[^']*';/g, '').trim() === '';
    });
    expect([...named, ...empty]).to.deep.equal([]);
  });

  it('keeps the parts of a node apart: they know of each other only the types of a port', () => {
    const wrong = between.filter(
      ({ from, to, isType }) =>
        parts.includes(roomOf(from)) &&
        parts.includes(roomOf(to)) &&
        !roots.includes(from) &&
        owners[roomOf(from)] !== roomOf(to) &&
        !(isType && ports.includes(to)),
    );
    expect(described(wrong)).to.deep.equal([]);
  });

  it('lets the console run in a browser: it imports itself, the machines and files without imports', () => {
    const page = (file: string) => file.startsWith('src/console/');
    const plain = (file: string) => !imports.some(({ from, isType }) => from === file && !isType);
    const values = imports.filter(({ from, isType }) => page(from) && !isType);
    const wrong = values.filter(({ to }) => !page(to) && !to.startsWith('machines/') && !plain(to));
    expect(described(wrong)).to.deep.equal([]);
    const outside = sources.filter(
      (file) => !page(file) && /\b(?:document\.(?:body|create|get|query)|window\.|localStorage\.)/.test(textOf(file)),
    );
    expect(outside, 'uses the browser outside the console').to.deep.equal([]);
  });

  it('has one way from the command line to a terminal', () => {
    const others = sources.filter((file) => /^src\/cli[/.]/.test(file) && file !== 'src/cli/print.ts');
    const writes = others.filter((file) => /\bconsole\.|\bstd(?:out|err)\.write\b/.test(textOf(file)));
    expect(writes).to.deep.equal([]);
  });

  it('has no import cycle, not even of types', () => {
    const next = groupedBySource(imports);
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      expect(path, [...path, file].join(' → ')).not.to.include(file);
      if (done.has(file)) return;
      for (const { to } of next.get(file) ?? []) visit(to, [...path, file]);
      done.add(file);
    };
    for (const file of [...machines, ...sources]) visit(file, []);
  });

  it('uses each file name for one thing', () => {
    const files = [...machines, ...sources].filter((file) => !topLevel.includes(file));
    const namesakes = (name: string) => files.filter((file) => posix.basename(file) === name);
    const shared = new Set(
      files.map((file) => namesakes(posix.basename(file)).join(' ')).filter((list) => list.includes(' ')),
    );
    expect([...shared]).to.deep.equal([]);
  });

  it('runs on what it depends on, and depends on nothing else', () => {
    const { dependencies } = JSON.parse(textOf('package.json')) as { dependencies: Record<string, string> };
    const packages = imports.map(({ to }) => to).filter((to) => !/^(?:node:|machines\/|src\/)/.test(to));
    const names = packages.map((to) => to.split('/', to.startsWith('@') ? 2 : 1).join('/'));
    expect([...new Set(names)].sort()).to.deep.equal(Object.keys(dependencies).sort());
  });

  it('measures durations by a monotonic clock, not by the time of day', () => {
    // A console in a browser can only compare with what the node's clock has shown.
    const ours = sources.filter((file) => !file.startsWith('src/console/'));
    // The age of a file: file systems stamp files with the time of day.
    const byFileTime = ['src/base/content-hash.ts'];
    const wrong = ours.filter((file) => /Date\.now\(\) *[-<>]|[-<>] *Date\.now\(\)/.test(textOf(file)));
    expect(wrong).to.deep.equal(byFileTime);
  });

  it('compares no clock readings in a test: on a busy machine everything takes longer', () => {
    const tests = filesIn('test').filter(
      (file) => /\.(?:test|contract)\.ts$/.test(file) && file !== 'test/architecture.test.ts',
    );
    expect(tests.flatMap((file) => clockComparisonsIn(textOf(file)).map((line) => `${file}: ${line}`))).to.deep.equal(
      [],
    );
    const samples = [
      'const took = Date.now() - began;',
      'expect(deadline).to.be.within(1000, Date.now() + 1000);',
      'const before = performance.now(); run(); expect(now() - before).to.be.lessThan(1);',
      'const from = process.hrtime.bigint(); expect(later).to.be.greaterThan(from);',
    ];
    for (const sample of samples) expect(clockComparisonsIn(sample), sample).not.to.deep.equal([]);
    expect(clockComparisonsIn('const iat = Math.floor(Date.now() / 1000);')).to.deep.equal([]);
  });

  it('says in the first line of every file what the file owns', () => {
    const silent = [...machines, ...sources, ...filesIn('test')].filter((file) => {
      const [first, second] = textOf(file).split('\n');
      return !/^\/\/ .{10,}$/.test((first?.startsWith('#!') ? second : first) ?? '');
    });
    expect(silent).to.deep.equal([]);
  });
});

/** By text, test by test: a reading, or a name it was given, that is subtracted, compared, or stands in an assertion. */
function clockComparisonsIn(text: string): string[] {
  const reading = String.raw`(?:(?:Date|performance)\.now|process\.hrtime(?:\.bigint)?)\(\)`;
  return text.split(/^ *it\(/m).flatMap((test) => {
    const names = [...test.matchAll(new RegExp(`(?:const|let) (\\w+) = ${reading};`, 'g'))];
    const clock = `(?:${[reading, ...names.map(([, name]) => `\\b${name}\\b`)].join('|')})`;
    const compared = new RegExp(
      `${clock}\\s*[-<>]|[-<]=?\\s*${clock}|(?<!=)>=?\\s*${clock}|expect\\([^;]*${clock}`,
      'g',
    );
    return [...test.matchAll(compared)].map(([found]) => found.replace(/\s+/g, ' '));
  });
}

function groupedBySource(imports: readonly Import[]): Map<string, Import[]> {
  const groups = new Map<string, Import[]>();
  for (const one of imports) groups.set(one.from, [...(groups.get(one.from) ?? []), one]);
  return groups;
}
