// One Chromium for all tests of a run, and pages that notice whatever goes wrong in them.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import chromium from '@sparticuz/chromium';
import { type Browser, type BrowserContextOptions, type Page, chromium as playwright } from 'playwright-core';

let opening: Promise<Browser> | undefined;

/** A name of this machine that browsers do not trust as they trust `localhost`: pages under it have no WebCrypto. */
export const plainName = 'node.test';

/** Names resolve to nothing but this machine: whatever a page wants from elsewhere fails, and its test with it. */
const resolving = `--host-resolver-rules=MAP ${plainName} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1`;

const launch = async (): Promise<Browser> =>
  playwright.launch({
    executablePath: await chromium.executablePath(),
    args: ['--no-sandbox', '--disable-gpu', resolving],
  });

after(async () => {
  await (await opening)?.close();
});

export interface Visit {
  readonly page: Page;
  /** What the page said on its console, threw, or was refused by its policy. */
  readonly conditions: readonly string[];
  /** Every URL it asked for, with all that was sent along. */
  readonly sent: readonly string[];
}

/** A page of its own, without a history. */
export async function visit(url: string, options: BrowserContextOptions = {}): Promise<Visit> {
  opening ??= launch();
  const context = await (await opening).newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(45_000);
  const page = await context.newPage();
  const [conditions, sent]: [string[], string[]] = [[], []];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) conditions.push(message.text());
  });
  page.on('pageerror', (error) => conditions.push(String(error)));
  page.on('request', (request) => {
    sent.push([request.method(), request.url(), JSON.stringify(request.headers()), request.postData()].join(' '));
  });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      console.error(`Against the policy: ${violatedDirective} ${blockedURI}`);
    });
  });
  await page.goto(url);
  return { page, conditions, sent };
}

const axeFile = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** What axe finds wrong with a page as it is now: rule, and where. */
export async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(axeFile, 'utf8'));
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: typeof import('axe-core') };
    const { violations } = await axe.run(document);
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
    );
  });
}
