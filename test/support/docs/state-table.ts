// What each command is answered in each reachable state, judged by the machine over its whole graph.
import { type CommandName, commandNames } from '../../../machines/commands.ts';
import { activeIds } from '../../../machines/diagram/trace.ts';
import { isSettled, judge, type NodeSnapshot, statusOf } from '../../../machines/judge.ts';
import { nodeMachine } from '../../../machines/node.ts';
import { reachableStates } from '../paths.ts';
import { table } from './markdown.ts';

/** `200`, `409` with its reason, or `waits` for the step under way. A command that succeeds may still be a 500 in the end. */
function answerIn(state: NodeSnapshot, type: CommandName): string {
  if (!isSettled(state) && type !== 'shutdown') return 'waits';
  const judgement = judge(state, { type });
  return judgement.legal ? '200' : `409 ${judgement.reason}`;
}

/** As an operator sees it: one column for each settled state of the node, and one for all the others. */
export function legalityTable(): string {
  const groups: [string, (state: NodeSnapshot) => boolean][] = [
    ['public API stopped', (state) => isSettled(state) && isUp(state) && statusOf(state).publicApi === 'stopped'],
    ['public API running', (state) => isSettled(state) && isUp(state) && statusOf(state).publicApi === 'running'],
    ['a step is under way', (state) => !isSettled(state) && isUp(state)],
    ['node shutting down', (state) => isSettled(state) && !isUp(state) && state.status === 'active'],
  ];
  const states = reachableStates();
  const rows = commandNames.map((name) => [
    `\`${name}\``,
    ...groups.map(([title, belongs]) => onlyAnswer(title, states.filter(belongs), name)),
  ]);
  return table(['', ...groups.map(([title]) => title)], rows);
}

const isUp = (state: NodeSnapshot): boolean => statusOf(state).node === 'running';

function onlyAnswer(title: string, states: readonly NodeSnapshot[], name: CommandName): string {
  const [answer, ...more] = new Set(states.map((state) => answerIn(state, name)));
  if (answer === undefined || more.length > 0)
    throw new Error(`Not one answer to ${name} in "${title}": ${[answer, ...more]}`);
  return answer;
}

/** Every reachable state. A drain changes no answer, so that its states share a row. */
export function stateTable(): string {
  const rows = new Map<string, { readonly drains: Set<string>; readonly answers: readonly string[] }>();
  for (const state of [...reachableStates()].sort(inOrder)) {
    const [node, publicApi, drain, record] = regionsOf(state);
    const key = [node, publicApi, record].join(' | ');
    const answers = commandNames.map((name) => answerIn(state, name));
    const row = rows.get(key) ?? { drains: new Set(), answers };
    if (row.answers.join() !== answers.join()) throw new Error(`A drain changes the answers in ${key}`);
    rows.set(key, { ...row, drains: row.drains.add(String(drain)) });
  }
  return table(
    ['node', 'publicApi', 'record', 'drain', ...commandNames.map((name) => `\`${name}\``)],
    [...rows].map(([key, { drains, answers }]) => [key, [...drains].sort().reverse().join(', '), ...answers]),
  );
}

const activeStates = (state: NodeSnapshot) => activeIds(state).map((id) => nodeMachine.getStateNodeById(id));

/** Document order of the innermost states, region by region. */
function inOrder(a: NodeSnapshot, b: NodeSnapshot): number {
  const [left, right] = [a, b].map((state) =>
    activeStates(state)
      .map(({ order }) => order)
      .sort((x, y) => x - y),
  );
  for (const [place, order] of (left ?? []).entries())
    if (order !== right?.[place]) return order - (right?.[place] ?? 0);
  return 0;
}

/** The path of what is active in each region: `starting.opening`. The end has no regions. */
function regionsOf(state: NodeSnapshot): string[] {
  if (state.status === 'done') return ['exited', '–', '–', '–'];
  return ['node', 'publicApi', 'drain', 'record'].map((region) => {
    const inside = activeStates(state)
      .map(({ path }) => path)
      .filter(([up, name]) => up === 'up' && name === region);
    const [deepest = []] = inside.sort((a, b) => b.length - a.length);
    return deepest.slice(2).join('.');
  });
}
