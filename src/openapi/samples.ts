// Code samples of the API description: each request with curl and in JavaScript, ready to run.
import type { commands } from '../../machines/commands.ts';

type Input = (typeof commands)[keyof typeof commands]['input'];

export interface CodeSample {
  readonly lang: 'Shell' | 'JavaScript';
  readonly label: string;
  readonly source: string;
}

/** A minimal body that matches the schema; null: the command takes none. */
export function sampleBody({ properties }: Input): Readonly<Record<string, unknown>> | null {
  const entries = Object.entries(properties).map(([name, schema]) => [
    name,
    schema.type === 'integer' ? schema.minimum : ['string'],
  ]);
  return entries.length === 0 ? null : Object.fromEntries(entries);
}

/** Both read the access token from a variable: `TOKEN` in the shell, `token` in the script. */
export function samplesFor(method: 'GET' | 'POST', url: string, body: object | null = null): CodeSample[] {
  const data = body === null ? null : JSON.stringify(body);
  const curl = [
    `curl ${method === 'GET' ? '' : `-X ${method} `}${url}`,
    `-H "Authorization: Bearer $TOKEN"`,
    ...(data === null ? [] : [`-H 'Content-Type: application/json'`, `-d '${data}'`]),
  ].join(' \\\n  ');
  const type = data === null ? '' : `, 'Content-Type': 'application/json'`;
  const script = [
    `fetch('${url}', {`,
    `  method: '${method}',`,
    `  headers: { Authorization: \`Bearer \${token}\`${type} },`,
    ...(data === null ? [] : [`  body: JSON.stringify(${data}),`]),
    '})',
    '  .then((response) => response.json())',
    '  .then((answer) => console.log(answer));',
  ].join('\n');
  return [
    { lang: 'Shell', label: 'curl', source: curl },
    { lang: 'JavaScript', label: 'JavaScript', source: script },
  ];
}
