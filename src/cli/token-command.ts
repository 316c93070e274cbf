// `token`: prints an access token for curl, scripts and dashboards, and nothing else.
import { Command, Option } from 'commander';
import { parseDuration } from './argument-types.ts';
import { lazyConfig } from './config-option.ts';
import { type SecretOptions, secretFor, withSecretOptions } from './connection.ts';
import { examples } from './help.ts';
import { say } from './print.ts';

interface TokenOptions extends SecretOptions {
  readonly scope: 'read' | 'operate';
  readonly expires: number;
  readonly sub?: string;
  readonly aud?: string;
}

export const tokenCommand = (): Command =>
  withSecretOptions(new Command('token'))
    .summary('Print an access token for curl and scripts.')
    .description(
      'Print an access token for the operator API, and nothing else. Its holder may do everything its scope allows.',
    )
    .addOption(
      new Option('--scope <scope>', 'operate: everything; read: GET only')
        .choices(['read', 'operate'])
        .default('operate'),
    )
    .addOption(new Option('--expires <time>', 'lifetime of the token').argParser(parseDuration).default(900_000, '15m'))
    .option('--sub <name>', 'holder of the token, shown in the audit log')
    .option('--aud <id>', 'restrict the token to the node with this id')
    .addHelpText(
      'after',
      examples(
        ['TOKEN=$(distributor-node token --expires 15m --sub alice)'],
        ['curl -X POST http://localhost:3335/api/v1/stop-api -H "Authorization: Bearer $TOKEN"'],
        ['distributor-node token --scope read --expires 30d --sub dashboard --aud my-node'],
      ),
    )
    .action(async ({ scope, expires, sub, aud, ...options }: TokenOptions) => {
      const secret = await secretFor(options, lazyConfig(options));
      const { signAccessToken } = await import('../client/sign-token.ts');
      const who = { ...(sub !== undefined && { sub }), ...(aud !== undefined && { aud }) };
      say(await signAccessToken(secret.bytes, { scope, lifetimeSec: Math.ceil(expires / 1000), ...who }));
    });
