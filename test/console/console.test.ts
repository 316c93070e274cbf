// The console in a real Chromium, against a real node.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { commandNames } from '../../machines/commands.ts';
import { barriers, plainName, type Visit, visit } from '../support/browser.ts';
import { freePort } from '../support/free-port.ts';
import { accessToken, Home, type RealNode, secret } from '../support/harness.ts';

type Fields = typeof import('../../src/console/fields.ts');
type History = typeof import('../../src/console/history.ts');
type Model = import('../../src/console/model.ts').Model;

const lit = async (page: Page): Promise<string[]> =>
  page.locator('#drawing .wide .node.active').evaluateAll((states) => states.map(({ id }) => id).sort());

/** The active states of an idle node. */
const resting = (publicApi: string): string[] =>
  ['node-up-drain-none', 'node-up-node-running', `node-up-publicApi-${publicApi}`, 'node-up-record-settled'].sort();

const untilLit = (page: Page, id: string) => page.locator(`#${id}.active`).waitFor({ state: 'attached' });
const card = (page: Page, name: string) => page.locator(`[data-command="${name}"]`);
const button = (page: Page, name: string) => card(page, name).getByRole('button', { name, exact: true });
const outcome = (page: Page, name: string, text: string | RegExp) =>
  card(page, name).locator('.outcome').filter({ hasText: text }).waitFor();
const connection = (page: Page, word: string) => page.locator('#connection', { hasText: word }).waitFor();

async function signIn({ page }: Visit, pasted = secret, name = ''): Promise<void> {
  await page.getByLabel('Operator secret or access token').fill(pasted);
  await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: 'Connect' }).click();
}

describe('the console', function () {
  this.timeout(90_000);
  let home: Home;
  let node: RealNode;
  let url: string;
  const visits: Visit[] = [];
  /** One page serves most tests, as an operator keeps it open for a day. */
  let desk: Visit;
  /** Signed in with a token that expires while the other tests run. */
  let expiring: Visit;
  let shortToken: string;

  before(async () => {
    const port = await freePort();
    home = await Home.make({
      objects: { 1: 'one', 2: 60_000, 9: 50_000_000 },
      operatorApi: { port, allowedHosts: [plainName] },
    });
    node = await home.start();
    url = `http://127.0.0.1:${port}`;
    desk = await visit(`${url}/`);
    await signIn(desk);
    await connection(desk.page, 'Live');
    expiring = await visit(`${url}/`);
    shortToken = await accessToken({ lifetimeSec: 8 });
    await signIn(expiring, shortToken);
    await connection(expiring.page, 'Live');
  });
  after(async () => {
    for (const { page } of [desk, expiring]) await page.context().close();
    await node.end();
    await home.remove();
  });
  afterEach(async () => {
    for (const { page } of visits.splice(0)) await page.context().close();
  });

  async function open(options?: Parameters<typeof visit>[1]): Promise<Visit> {
    const visited = await visit(`${url}/`, options);
    visits.push(visited);
    return visited;
  }

  /** Signed in and connected. */
  async function live(options?: Parameters<typeof visit>[1], pasted?: string): Promise<Visit> {
    const visited = await open(options);
    await signIn(visited, pasted);
    await connection(visited.page, 'Live');
    return visited;
  }

  it('shows a lame duck in the statechart, the settings and the reason of the refusal', async () => {
    const port = await freePort();
    const publicApi = { lameDuckSec: 3600 };
    const other = await Home.make({ objects: { 1: 'one' }, publicApi, operatorApi: { port } });
    const duck = await other.start();
    try {
      const visited = await visit(`http://127.0.0.1:${port}/`);
      visits.push(visited);
      const { page } = visited;
      await signIn(visited);
      await connection(page, 'Live');
      await untilLit(page, 'node-up-publicApi-running');
      await button(page, 'stop-api').click();
      await untilLit(page, 'node-up-publicApi-lameDuck');
      await page.locator('#settings', { hasText: 'not ready, viewers are still served' }).waitFor();
      await card(page, 'stop-api').locator('.prospect', { hasText: 'Already stopping' }).waitFor();
    } finally {
      duck.signal('SIGTERM');
      duck.signal('SIGINT');
      await duck.exited;
      await other.remove();
    }
  });

  it('loads without a token, and shows no data without one', async () => {
    const { page, conditions } = await open();
    expect(await lit(page)).to.deep.equal([]);
    for (const name of commandNames) {
      expect(await card(page, name).locator('.prospect').textContent()).to.equal('Sign in first');
    }
    expect(await page.getByLabel('Operator secret').evaluate((field) => field === document.activeElement)).to.equal(
      true,
    );
    expect(await page.locator('main').innerText()).not.to.match(/Nothing is wrong|No server process|No command/);
    expect(conditions).to.deep.equal([]);
  });

  it('signs requests with the secret, and neither sends nor keeps the secret', async () => {
    const visited = await open();
    const { page, conditions, sent } = visited;
    await signIn(visited, `${secret}\n`, 'ada');
    await connection(page, 'Live');
    await button(page, 'set-worker').click();
    await outcome(page, 'set-worker', 'Done');
    await page.locator('#history', { hasText: 'ada' }).waitFor();

    expect(sent.join('\n')).to.include('"authorization":"Bearer ').and.not.to.include(secret);
    const kept = await page.evaluate(() => [
      JSON.stringify({ ...localStorage, ...sessionStorage }),
      document.cookie,
      document.documentElement.outerHTML,
      ...[...document.querySelectorAll('input')].map(({ value }) => value),
    ]);
    expect(kept.join('\n')).not.to.include(secret);
    expect(sent.map((line) => line.split(' ')[1]).filter((one) => !one?.startsWith(`${url}/`))).to.deep.equal([]);
    expect(conditions).to.deep.equal([]);
  });

  it('explains a wrong secret, and sends no request for text that is too short', async () => {
    const visited = await open();
    const { page, sent } = visited;
    await signIn(visited, 'not the secret of this node, but long enough');
    const error = page.locator('#pasted-error');
    await error.filter({ hasText: '401' }).waitFor();
    expect(await error.textContent()).to.match(/^401 The signature is not .* Sign in with the secret of this node/);
    expect(await page.getByLabel('Operator secret').getAttribute('aria-invalid')).to.equal('true');

    const before = sent.length;
    await signIn(visited, 'too short');
    await error.filter({ hasText: 'neither an access token nor a secret' }).waitFor();
    expect(sent.length).to.equal(before);
  });

  it('accepts an access token; a read-only one shows the node but sends no commands', async () => {
    const token = await accessToken({ scope: 'read', sub: 'guest' });
    const { page } = await live({}, token);
    expect(await lit(page)).to.deep.equal(resting('running'));
    expect(await page.locator('#signed-in').textContent()).to.match(
      /^Signed in with an access token \(read-only\) as guest/,
    );
    expect(await card(page, 'stop-api').locator('.prospect').textContent()).to.equal('The token is read-only');
    await page.getByRole('button', { name: 'Sign out' }).click();
    expect(await lit(page)).to.deep.equal([]);
  });

  it('refuses the secret in an insecure context, and says what to do instead', async () => {
    const visited = await visit(`${url.replace('127.0.0.1', plainName)}/`);
    visits.push(visited);
    const { page, sent } = visited;
    await page.locator('#pasted-hint', { hasText: 'the secret cannot be used here' }).waitFor();
    const before = sent.length;
    await signIn(visited);
    await page
      .locator('#pasted-error', { hasText: 'Paste an access token instead: distributor-node token prints one.' })
      .waitFor();
    expect(sent.length).to.equal(before);
    await signIn(visited, await accessToken({ lifetimeSec: 60 }));
    await connection(page, 'Live');
  });

  it('highlights the current states, the last transition and the target of a command', async () => {
    const { page, conditions } = desk;
    const before = conditions.length;
    await untilLit(page, 'node-up-publicApi-running');
    await button(page, 'stop-api').focus();
    await page.locator('#node-up-publicApi-stopped.ahead').waitFor({ state: 'attached' });
    await page.locator('.wide .edge.on-stop-api.ahead').waitFor({ state: 'attached' });
    await page
      .locator('#node-up-publicApi-stopping-to-node-up-publicApi-stopped-by-port-refuses.ahead')
      .waitFor({ state: 'attached' });
    await button(page, 'start-api').focus();
    await page.locator('.wide .ahead').first().waitFor({ state: 'detached' });

    await button(page, 'stop-api').click();
    await outcome(page, 'stop-api', 'Done: public API stopped');
    await untilLit(page, 'node-up-publicApi-stopped');
    expect(await lit(page)).to.deep.equal(resting('stopped'));
    await page
      .locator('#node-up-publicApi-running-to-node-up-publicApi-stopping-by-stop-api.taken')
      .waitFor({ state: 'attached' });
    await page
      .locator('#node-up-publicApi-stopping-to-node-up-publicApi-stopped-by-port-refuses.taken')
      .waitFor({ state: 'attached' });
    expect((await node.state()).publicApi).to.equal('stopped');

    const start = button(page, 'start-api');
    expect(await button(page, 'stop-api').getAttribute('aria-disabled')).to.equal('true');
    expect(await card(page, 'stop-api').locator('.prospect').textContent()).to.equal('Already stopped');
    await start.click();
    await outcome(page, 'start-api', 'Done: public API running');
    expect((await node.state()).publicApi).to.equal('running');
    expect(conditions.slice(before)).to.deep.equal([]);
  });

  it('keeps illegal commands focusable, and announces the reason instead of sending them', async () => {
    const { page, sent } = desk;
    const start = button(page, 'start-api');
    await page.locator('[data-command="start-api"][data-possible="no"]').waitFor();
    await start.focus();
    expect(await start.evaluate((one) => one === document.activeElement)).to.equal(true);
    const before = sent.length;
    await page.keyboard.press('Enter');
    await page
      .locator('#announcements', { hasText: 'start-api is not legal now: Already started' })
      .waitFor({ state: 'attached' });
    expect(sent.slice(before).filter((line) => line.startsWith('POST'))).to.deep.equal([]);
  });

  it('sets the worker and the buckets', async () => {
    const { page } = desk;
    const worker = card(page, 'set-worker').getByLabel('workerId');
    await worker.fill('three');
    await button(page, 'set-worker').click();
    await card(page, 'set-worker').locator('.error', { hasText: 'Enter a whole number, 0 or more.' }).waitFor();
    await worker.fill('3');
    await button(page, 'set-worker').click();
    await outcome(page, 'set-worker', 'Done');

    const buckets = card(page, 'set-buckets').getByRole('textbox');
    await buckets.fill('1:0\n7:7');
    await button(page, 'set-buckets').click();
    await outcome(page, 'set-buckets', 'Done');
    expect((await node.state()).settings).to.deep.equal({ workerId: 3, buckets: ['1:0', '7:7'] });
    const unknown = page.locator('#conditions [data-severity=warning]', { hasText: 'UnknownBuckets' });
    await unknown.filter({ hasText: 'Correct the list with set-buckets' }).waitFor();
    await page.locator('#settings', { hasText: '7:7' }).waitFor();

    await card(page, 'set-buckets').getByLabel('all buckets of the worker').check();
    await button(page, 'set-buckets').click();
    await page.locator('#conditions', { hasText: 'The directory assigns no bucket to worker 3' }).waitFor();
    expect((await node.state()).settings.buckets).to.equal(null);
    await node.command('set-worker', { workerId: 0 });
    await page.locator('#settings', { hasText: 'Worker0' }).waitFor();
    await page.locator('#conditions', { hasText: 'Nothing is wrong' }).waitFor();
    expect(await worker.inputValue()).to.equal('0');
  });

  it('previews the objects that a change of settings drops and gains', async () => {
    const { page } = desk;
    await card(page, 'set-buckets').getByRole('textbox').fill('7:7');
    await page.getByRole('button', { name: 'Preview set-buckets' }).click();
    await outcome(
      page,
      'set-buckets',
      /Preview: nothing has changed.*Dropped: 3 objects, 47\.7 MiB \(.*Gained: nothing.*UnknownBuckets/,
    );
    expect((await node.state()).settings.buckets).to.equal(null);
  });

  it('does not overwrite a change by another operator since editing began', async () => {
    const { page } = desk;
    await page.locator('#settings', { hasText: 'Worker0' }).waitFor();
    await card(page, 'set-worker').getByLabel('workerId').fill('5');
    await node.command('set-worker', { workerId: 4 });
    await page.locator('#settings', { hasText: 'Worker4' }).waitFor();
    await button(page, 'set-worker').click();
    await outcome(page, 'set-worker', /^412 .*The node has changed since you began to edit/);
    await button(page, 'set-worker').click();
    await outcome(page, 'set-worker', 'Done');
    expect((await node.state()).settings.workerId).to.equal(5);
    await node.command('set-worker', { workerId: 0 });
  });

  it('shows each error of a body at its field', async () => {
    const { page } = desk;
    await card(page, 'set-buckets').getByRole('textbox').fill('x'.repeat(200));
    await button(page, 'set-buckets').click();
    await card(page, 'set-buckets').locator('.error', { hasText: '/buckets/0' }).waitFor();
    await outcome(page, 'set-buckets', /^400 .*Correct the marked fields/);
  });

  it('follows commands of other operators', async () => {
    const { page } = desk;
    await untilLit(page, 'node-up-publicApi-running');
    await node.command('stop-api');
    await untilLit(page, 'node-up-publicApi-stopped');
    await page.locator('#announcements', { hasText: 'Public API stopped.' }).waitFor({ state: 'attached' });
    await page.locator('#settings', { hasText: 'stopped for' }).waitFor();
    await node.command('start-api');
    await untilLit(page, 'node-up-publicApi-running');
    expect(await page.locator('#history tr', { hasText: '-api' }).first().textContent()).to.include('start-api');
    // A transition without an announcement does not replace the last one.
    await page.locator('#announcements', { hasText: 'Public API running.' }).waitFor({ state: 'attached' });
    await node.command('set-worker', { workerId: 0 });
    await page.locator('#history tr', { hasText: 'set-worker' }).first().waitFor();
    expect(await page.locator('#announcements').textContent()).to.equal('Public API running.');
  });

  it('signs in once when the form is submitted several times', async () => {
    const visited = await open();
    const { page, sent } = visited;
    await page.getByLabel('Operator secret or access token').fill(secret);
    await page.locator('#sign-in-form').evaluate((form: HTMLFormElement) => {
      for (let n = 0; n < 3; n += 1) form.requestSubmit();
    });
    await connection(page, 'Live');
    await page.locator('#history tr').first().waitFor();
    expect(sent.filter((line) => line.includes('/api/v1/events'))).to.have.length(1);
  });

  it('names the signal that shut the node down', async () => {
    const { page } = await open();
    const history = await page.evaluateHandle<History>("import('/console/src/console/history.js')");
    await history.evaluate(({ historyPanel }, entry) => historyPanel()({ commands: [entry] } as unknown as Model), {
      ...{ at: new Date().toISOString(), method: 'SIGTERM', command: 'shutdown', input: {}, status: 200 },
      ...{ from: null, kind: null, sub: null, jti: null, detail: null },
    } as const);
    expect(await page.locator('#history [data-is="Who"]').textContent()).to.equal('SIGTERM');
  });

  it('keeps its layout with thousands of buckets', async () => {
    const { page } = desk;
    const buckets = Array.from({ length: 3000 }, (_, index) => `${index}:${index}`);
    await node.command('set-buckets', { buckets });
    const list = page.locator('#settings details').first();
    await list.locator('summary').click();
    expect((await list.boundingBox())?.height).to.be.lessThan(500);
    const heights = await page.locator('thead th').evaluateAll((heads) => heads.map((head) => head.clientHeight));
    expect(new Set(heights).size).to.equal(1);
    await node.command('set-buckets', {});
    await list.waitFor({ state: 'detached' });
  });

  it('explains a refusal when another operator was faster', async () => {
    const { page } = desk;
    await page.route('**/api/v1/stop-api', async (route) => {
      await node.command('stop-api');
      await route.continue();
    });
    await button(page, 'stop-api').click();
    await outcome(page, 'stop-api', '409 Already stopped. Legal now: start-api, shutdown, set-worker, set-buckets.');
    await page.unroute('**/api/v1/stop-api');
    await node.command('start-api');
  });

  it('explains a failed start, and a missing answer', async () => {
    const { page } = desk;
    await button(page, 'stop-api').click();
    await outcome(page, 'stop-api', 'Done');
    const squatter = createServer().listen(home.port, '127.0.0.1');
    await once(squatter, 'listening');
    await button(page, 'start-api').click();
    await outcome(page, 'start-api', /^500 .* The state shows what changed, if anything\. Fix the cause and retry/);
    expect(await card(page, 'start-api').locator('.outcome').textContent()).to.include(String(home.port));
    await untilLit(page, 'node-up-publicApi-stopped');
    squatter.close();

    await page.route('**/api/v1/start-api', (route) => route.abort());
    await button(page, 'start-api').click();
    await outcome(page, 'start-api', 'No answer. The command may have been carried out.');
    await page.unroute('**/api/v1/start-api');
    await node.command('start-api');
  });

  it('has no accessibility violations that axe finds, in light and dark mode, signed in or not', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page } = await open({ colorScheme, reducedMotion: 'reduce' });
      expect(await barriers(page), `${colorScheme}, signed out`).to.deep.equal([]);
      await signIn({ page, conditions: [], sent: [] });
      await page.locator('#history tr').first().waitFor();
      expect(await barriers(page), colorScheme).to.deep.equal([]);
    }
  });

  it('renders a screenshot, saved for docs/operating.md if CONSOLE_PICTURE is set', async () => {
    const file = process.env.CONSOLE_PICTURE;
    const { page } = await live({ viewport: { width: 1360, height: 1232 } });
    for (const [name, body] of [['set-buckets', { buckets: ['1:0'] }], ['start-api'], ['set-buckets', {}]] as const) {
      await node.command(name, body);
    }
    const asset = `http://127.0.0.1:${home.port}/api/v1/assets/2`;
    for (let round = file ? 250 : 0; round > 0; round -= 1) {
      await Promise.all(Array.from({ length: Math.ceil(Math.random() * 20) }, () => fetch(asset)));
      await page.waitForTimeout(Math.random() * 300);
      await node.state();
    }
    await button(page, 'stop-api').hover();
    await page.locator('.ahead').first().waitFor({ state: 'attached' });
    const picture = await page.screenshot({ animations: 'disabled', ...(file && { path: file }) });
    expect(picture.subarray(1, 4).toString()).to.equal('PNG');
  });

  it('fits on a phone', async () => {
    const { page } = await live({ viewport: { width: 360, height: 740 } });
    await page.locator('#history tr').first().waitFor();
    const overhang = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(overhang).to.be.at.most(0);
    await page.locator('#narrow-node-up-publicApi-running.active').waitFor();
    expect(await page.locator('#drawing .wide').isVisible()).to.equal(false);
    const inOrder = /^publicApi\s+running\s+drain\s+none\s+record/;
    expect(await page.locator('#regions').innerText()).to.match(inOrder);
    // Wide enough for figures side by side.
    await page.setViewportSize({ width: 740, height: 360 });
    await node.command('set-worker', { workerId: 0 });
    await page.locator('#history tr', { hasText: 'set-worker' }).first().waitFor();
    expect(await page.locator('#regions').innerText()).to.match(inOrder);
  });

  it('follows the font size set in the browser', async () => {
    const { page } = await live({ viewport: { width: 1280, height: 900 } });
    await page.locator('#history tr').first().waitFor();
    const sizeOf = () => page.evaluate(() => Number.parseFloat(getComputedStyle(document.body).fontSize));
    const before = await sizeOf();
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Page.setFontSizes', { fontSizes: { standard: 32, fixed: 26 } });
    await page.waitForFunction((size) => Number.parseFloat(getComputedStyle(document.body).fontSize) > size, before);
    expect(await sizeOf()).to.equal(2 * before);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).to.be.at.most(0);
  });

  it('keeps its signs distinct in forced-colours mode', async () => {
    const { page } = await live({ forcedColors: 'active' });
    const fillOf = (selector: string) =>
      page
        .locator(selector)
        .first()
        .evaluate((sign) => getComputedStyle(sign).backgroundColor);
    await page.locator('#workers [data-is="serving"]').first().waitFor();
    expect(await fillOf('#workers .sign')).not.to.equal(await fillOf('section'));
  });

  it('creates a field for every argument type of a command', async () => {
    const { page } = await open();
    const fields = await page.evaluateHandle<Fields>("import('/console/src/console/fields.js')");
    const read = await fields.evaluate(({ fieldOf }) => {
      const limit = { type: 'integer', minimum: 1, maximum: 20, description: 'how many' } as const;
      const ids = {
        type: 'array',
        items: { type: 'string', format: 'bucket-id' },
        minItems: 1,
        description: '',
      } as const;
      const made = [
        fieldOf('a', 'limit', limit, false),
        fieldOf('b', 'most', limit, false),
        fieldOf('c', 'ids', ids, true),
      ];
      const typed: Record<string, string> = { limit: '12', most: '21', ids: 'x y,z' };
      const attempt = (read: () => unknown): unknown => {
        try {
          return read() ?? null;
        } catch (error) {
          return String(error);
        }
      };
      return made.map(({ element, read }) => {
        const left = attempt(read);
        const control = element.querySelector<HTMLInputElement>('input:not([type=radio]), textarea');
        if (control) control.value = typed[control.name] ?? '';
        return [left, attempt(read)];
      });
    });
    expect(read).to.deep.equal([
      [null, 12],
      [null, 'RangeError: Enter a whole number from 1 to 20.'],
      ['RangeError: Enter at least one.', ['x', 'y', 'z']],
    ]);
  });

  it('links to the description of the API, which needs no token', async () => {
    const { page } = await open();
    await page.getByRole('link', { name: 'API description (OpenAPI)' }).click();
    await page.waitForURL('**/api/v1/openapi.json');
    expect(JSON.parse(await page.locator('body').innerText())).to.have.nested.property('info.title');
  });

  it('asks for a new token when the token expires', async () => {
    const { page } = expiring;
    await page.locator('#pasted-error', { hasText: '401 The token has expired. Create a new token' }).waitFor();
    await connection(page, 'Not signed in');
    await signIn(expiring, shortToken);
    await page.locator('#pasted-error', { hasText: 'This token has expired.' }).waitFor();
  });

  it('shows that the node is unreachable, and reconnects when it is back', async () => {
    const { page } = desk;
    node.signal('SIGKILL');
    await connection(page, 'Out of date');
    const notice = page.getByRole('alert').filter({ hasText: 'This page reconnects automatically.' });
    await notice.filter({ hasText: /The data shown is \d+ s old/ }).waitFor();
    expect(await card(page, 'stop-api').locator('.prospect').textContent()).to.equal('Not connected to the node');
    await node.exited;
    node = await home.start();
    await connection(page, 'Live');
    await notice.waitFor({ state: 'hidden' });
    await untilLit(page, 'node-up-publicApi-running');
    await page.locator('#settings', { hasText: /Last crash.+it was killed/ }).waitFor();
  });

  it('asks before a shutdown, shows the drain and the exit of the node', async () => {
    const { page, conditions } = desk;
    const before = conditions.length;
    const download = await fetch(`http://127.0.0.1:${home.port}/api/v1/assets/9`);
    await button(page, 'shutdown').click();
    const question = page.getByRole('dialog', { name: 'shutdown?' });
    await question.getByRole('button', { name: 'Cancel' }).click();
    expect((await node.state()).node).to.equal('running');
    await button(page, 'shutdown').click();
    await question.getByRole('button', { name: 'shutdown' }).click();
    await outcome(page, 'shutdown', 'Done: the node is shutting down');
    await untilLit(page, 'node-up-node-shuttingDown');
    await page.locator('#drain', { hasText: /1 connection, .* left/ }).waitFor();
    expect(await card(page, 'shutdown').locator('.prospect').textContent()).to.equal('Already shutting down');
    expect(conditions.slice(before)).to.deep.equal([]);
    await download.arrayBuffer();
    await connection(page, 'Exited');
    await page.getByRole('alert').filter({ hasText: 'The node exited with code 0.' }).waitFor();
    expect(await node.exited).to.deep.equal({ code: 0, signal: null });
  });
});
