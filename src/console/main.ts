// The console: connects its parts and passes each event to all of them.
import type { ConditionChange, MachineStep } from '../control/node-control.ts';
import { updateAges } from './ages.ts';
import { chart } from './chart.ts';
import { commandsPanel } from './command-list.ts';
import type { Credentials } from './credentials.ts';
import { byId, fill, h, setText } from './dom.ts';
import { failureOf } from './failures.ts';
import { type Following, follow } from './follow.ts';
import { historyPanel } from './history.ts';
import { changed, type Model, nothing, withAnswer } from './model.ts';
import { noticesPanel } from './notices.ts';
import { plotsPanel } from './plot.ts';
import { signIn } from './sign-in.ts';
import { statusPanel } from './status-panel.ts';

let model: Model = nothing;
let credentials: Credentials | null = null;
let following: Following | null = null;

const machine = chart(byId('drawing'));
/** A screen reader skips an unchanged text: a trailing space makes it repeat one. */
const announce = (text: string): void => {
  // Do not interrupt what the screen reader is reading.
  if (text === '') return;
  const place = byId('announcements');
  setText(place, place.textContent === text ? `${text}\u00a0` : text);
};
const notices = noticesPanel(() => following?.now());
const panels = [
  statusPanel(),
  historyPanel(),
  plotsPanel(),
  commandsPanel({
    list: byId('commands'),
    chart: machine,
    credentials: () => credentials,
    announce,
    onState: (state) => show(withAnswer(model, state)),
  }),
  notices,
];

function show(next: Model): void {
  model = next;
  machine.show(model);
  fill(
    byId('regions'),
    ...machine.regions.map(({ region, state }) => h('div', {}, h('dt', {}, region), h('dd', {}, state))),
  );
  for (const panel of panels) panel(model);
}

const entrance = signIn((signedIn) => {
  // The form was submitted twice.
  if (credentials !== null) return;
  credentials = signedIn;
  entrance.close();
  byId('sign-out').hidden = false;
  setText(byId('signed-in'), signedInText(signedIn));
  // The focused form is hidden now.
  byId('machine-title').focus({ preventScroll: true });
  start(signedIn);
});

function start(by: Credentials): void {
  following = follow({
    credentials: by,
    onSign: () => {
      model = { ...model, heardAtMs: Date.now() };
    },
    onEvent: (event) => {
      if (event.name === 'transition') announce(transitionText(JSON.parse(event.data)));
      if (event.name === 'condition') announce(conditionText(JSON.parse(event.data)));
      show(changed(model, event));
    },
    onConnection: (connection) => {
      show({ ...model, connection });
      if (connection.is !== 'refused') return;
      const { what, next } = failureOf(connection.problem);
      signOut(`${what} ${next}`);
    },
  });
}

/** Drops the credentials and everything shown. */
function signOut(why: string | null): void {
  following?.stop();
  following = null;
  credentials = null;
  byId('sign-out').hidden = true;
  setText(byId('signed-in'), '');
  show(nothing);
  entrance.open(why);
}

function signedInText({ kind, sub, readOnly, expiresAtMs }: Credentials): string {
  const by = kind === 'secret' ? 'the secret' : `an access token${readOnly ? ' (read-only)' : ''}`;
  const until = expiresAtMs === null ? '' : `, until ${new Date(expiresAtMs).toLocaleTimeString('en-GB')}`;
  return `Signed in with ${by}${sub === null ? '' : ` as ${sub}`}${until}`;
}

const transitionText = ({ from, to }: MachineStep): string =>
  [
    ...(from.publicApi === to.publicApi ? [] : [`Public API ${to.publicApi}.`]),
    ...(from.node === to.node ? [] : ['The node is shutting down.']),
  ].join(' ');

const conditionText = ({ change, condition }: ConditionChange): string =>
  change === 'cleared' ? `Cleared: ${condition.type}.` : `${condition.type}: ${condition.message}`;

byId('sign-out').addEventListener('click', () => signOut(null));
setInterval(() => {
  updateAges(document);
  notices(model);
}, 1000);
show(model);
entrance.open(null);
