// Which file may import which: machines ← errors, log, validate, config … ← control, operator, public, content ← start ← cli.
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { expect } from 'chai';

interface Import {
  /** Relative to the root of the project, e.g. `src/control/node.ts`. */
  readonly from: string;
  /** Likewise; a package's name or `node:…` where it is none of ours. */
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

const rooms = ['control', 'operator', 'public', 'content'];

/** `control` for `src/control/node.ts`; undefined for what is in no room. */
const roomOf = (file: string): string | undefined => /^src\/(\w+)\//.exec(file)?.[1];

/** What a room may know of another: the words of a port, as types. */
const ports = ['src/control/node-control.ts', 'src/control/public-side.ts'];

describe('the architecture', () => {
  const machines = filesIn('machines');
  const sources = filesIn('src');
  const imports = [...machines, ...sources].flatMap(importsOf);
  const told = (list: readonly Import[]) => list.map(({ from, to }) => `${from} imports ${to}`);

  it('finds the imports at all', () => {
    expect(told(imports))
      .to.include('machines/judge.ts imports machines/node.ts')
      .and.include('machines/node.ts imports xstate');
  });

  it('keeps the machines pure: xstate and their siblings, nothing else', () => {
    const wrong = imports.filter(
      ({ from, to }) => from.startsWith('machines/') && to !== 'xstate' && !to.startsWith('machines/'),
    );
    expect(told(wrong)).to.deep.equal([]);
    const impure = machines.filter((file) =>
      /\b(?:process|setTimeout|setInterval|Date|fetch|console|Math\.random)\b[.(]/.test(textOf(file)),
    );
    expect(impure).to.deep.equal([]);
  });

  it('lets the drawing of machines know nothing of the machines that it draws', () => {
    const wrong = imports.filter(
      ({ from, to }) => from.startsWith('machines/diagram/') && to !== 'xstate' && !to.startsWith('machines/diagram/'),
    );
    expect(told(wrong)).to.deep.equal([]);
  });

  it('keeps the rooms apart: of another room, only the words of a port', () => {
    const wrong = imports.filter(({ from, to, isType }) => {
      const [here, there] = [roomOf(from), roomOf(to)];
      if (here === undefined || there === undefined || here === there) return false;
      return rooms.includes(here) && rooms.includes(there) && !(isType && ports.includes(to));
    });
    expect(told(wrong)).to.deep.equal([]);
  });

  it('lets nobody below import the composition root or the command line', () => {
    const above = (file: string) => /^src\/(?:start|cli)(?:\/|\.ts$)/.test(file);
    const wrong = imports.filter(({ from, to }) => above(to) && !above(from));
    expect(told(wrong)).to.deep.equal([]);
  });

  it('lets what everybody uses import no room', () => {
    const base = (file: string) =>
      (/^src\/[\w-]+\.ts$/.test(file) && !/^src\/(start|cli)\.ts$/.test(file)) ||
      ['config', 'openapi'].includes(roomOf(file) ?? '');
    const wrong = imports.filter(({ from, to }) => base(from) && rooms.includes(roomOf(to) ?? ''));
    expect(told(wrong)).to.deep.equal([]);
  });

  it('lets the pages of the console run in a browser: they import each other, the machines and what imports nothing', () => {
    const page = (file: string) => file.startsWith('src/operator/console/');
    const plain = (file: string) => !imports.some(({ from, isType }) => from === file && !isType);
    const values = imports.filter(({ from, isType }) => page(from) && !isType);
    expect(told(values.filter(({ to }) => !page(to) && !plain(to)))).to.deep.equal([]);
    const outside = sources.filter(
      (file) => !page(file) && /\b(?:document\.(?:body|create|get|query)|window\.|localStorage\.)/.test(textOf(file)),
    );
    expect(outside, 'the types of the browser are known everywhere, the browser is not').to.deep.equal([]);
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

  it('runs on what it depends on, and depends on nothing else', () => {
    const { dependencies } = JSON.parse(textOf('package.json')) as { dependencies: Record<string, string> };
    const packages = imports.map(({ to }) => to).filter((to) => !/^(?:node:|machines\/|src\/)/.test(to));
    const names = packages.map((to) => to.split('/', to.startsWith('@') ? 2 : 1).join('/'));
    expect([...new Set(names)].sort()).to.deep.equal(Object.keys(dependencies).sort());
  });

  it('says in the first line of every file what it owns', () => {
    const silent = [...machines, ...sources, ...filesIn('test')].filter((file) => {
      const [first, second] = textOf(file).split('\n');
      return !/^\/\/ .{10,}$/.test((first?.startsWith('#!') ? second : first) ?? '');
    });
    expect(silent).to.deep.equal([]);
  });
});

function groupedBySource(imports: readonly Import[]): Map<string, Import[]> {
  const groups = new Map<string, Import[]>();
  for (const one of imports) groups.set(one.from, [...(groups.get(one.from) ?? []), one]);
  return groups;
}
