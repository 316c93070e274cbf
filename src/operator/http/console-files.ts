// Serves the console: page, styles and modules, under exact paths and a strict content security policy.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Router from '@koa/router';
import { packageRoot } from '../../base/version.ts';
import type { OperatorState } from './request-state.ts';

interface ConsoleFile {
  readonly type: string;
  readonly body: Buffer;
}

/** Every module of the page, by its path in the build; modules import by relative paths, so the folders stay as they are. */
export const consoleModules = [
  'machines/commands',
  'machines/diagram/diagram',
  'src/client/directory-words',
  'src/client/event-parser',
  'src/client/reconnect',
  'src/base/signing-rules',
  ...[
    'ages',
    'api',
    'chart',
    'command-card',
    'command-list',
    'confirm',
    'credentials',
    'dom',
    'failures',
    'fields',
    'follow',
    'history',
    'main',
    'model',
    'notices',
    'numbers',
    'plot',
    'preview-text',
    'sign-in',
    'status-panel',
  ].map((name) => `src/console/${name}`),
] as const;

/** Only resources of this node; no inline scripts or styles, form submissions, HTML from strings, or framing. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const headers = {
  'Content-Security-Policy': contentSecurityPolicy,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
} as const;

/** Read once for all nodes of this process. */
let files: Map<string, ConsoleFile> | undefined;

/** The routes of `/` and `/console/…`. They need no token: the data is fetched with one. */
export function consoleRoutes(): Router<OperatorState> {
  const router = new Router<OperatorState>({ sensitive: true, strict: true });
  files ??= consoleFiles();
  for (const [path, { type, body }] of files) {
    router.get(path, (ctx) => {
      ctx.set(headers);
      ctx.type = type;
      ctx.body = body;
    });
  }
  return router;
}

/** Files by path on the operator port. */
function consoleFiles(): Map<string, ConsoleFile> {
  const source = (name: string) => readFileSync(join(packageRoot, 'src/console', name));
  const built = (name: string) => readFileSync(fileURLToPath(new URL(`../../../${name}.js`, import.meta.url)));
  // Preload all modules at once, so that a slow connection does not wait for one import after another.
  const preloads = consoleModules.map((name) => `<link rel="modulepreload" href="/console/${name}.js" />`);
  const home = source('index.html')
    .toString()
    .replace('<!-- modules -->', () => preloads.join('\n    '))
    .replace(/<!-- (machine[\w.-]+) -->/g, (_, name: string) => source(name).toString());
  return new Map([
    ['/', { type: 'text/html; charset=utf-8', body: Buffer.from(home) }],
    ['/console/console.css', { type: 'text/css; charset=utf-8', body: source('console.css') }],
    ['/console/chart.css', { type: 'text/css; charset=utf-8', body: source('chart.css') }],
    ['/console/icon.svg', { type: 'image/svg+xml', body: source('icon.svg') }],
    ...consoleModules.map((name): [string, ConsoleFile] => [
      `/console/${name}.js`,
      { type: 'text/javascript; charset=utf-8', body: built(name) },
    ]),
  ]);
}
