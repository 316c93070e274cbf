// The operator's HMAC secret: read from a file or the config, created on first start, rejected if too short.
import { randomBytes } from 'node:crypto';
import { access, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeFileAtomically } from '../../base/atomic-file.ts';
import { type Condition, condition } from '../../base/condition.ts';
import { codeOf, InputError, messageOf } from '../../base/errors.ts';
import { leastSecretBytes } from '../../base/signing-rules.ts';
import type { Config } from '../../config/config.ts';

export type SecretSettings = Pick<NonNullable<Config['operatorApi']>, 'hmacSecret' | 'hmacSecretFile'>;

export interface Secret {
  /** The key of every token. */
  readonly bytes: Uint8Array;
  /** Absolute path of its file; null: from the config. */
  readonly file: string | null;
  /** Whether this call created it. */
  readonly made: boolean;
  /** Empty if the secret is long enough. */
  readonly conditions: readonly Condition[];
}

/** RFC 7518 §3.2: an HS256 key is at least as long as the hash. */
const goodSecretBytes = 32;

/**
 * Loads the secret. Only the node creates it, not the command line.
 * @param options.make create a missing file: 32 random bytes as base64url, mode 0600
 * @throws {InputError} if there is no secret, it cannot be read or created, or is shorter than 16 bytes
 */
export async function loadSecret(settings: SecretSettings, options: { readonly make: boolean }): Promise<Secret> {
  const { hmacSecret, hmacSecretFile: file } = settings;
  if (hmacSecret !== null) {
    return checked(Buffer.from(hmacSecret, 'utf8'), 'operatorApi.hmacSecret in the config', {
      file: null,
      made: false,
    });
  }
  const made = options.make && (await makeSecretFile(file));
  return checked(await readSecretFile(file), `The secret in ${file}`, { file, made });
}

/** A secret given as `--secret` or `--secret-file` on the command line. Same rules, same errors. */
export const secretOf = (text: string, where: string): Secret =>
  checked(Buffer.from(text, 'utf8'), where, { file: null, made: false });

function checked(bytes: Uint8Array, where: string, rest: Pick<Secret, 'file' | 'made'>): Secret {
  const { length } = bytes;
  if (length < leastSecretBytes) {
    throw new InputError(
      `${where} has ${length} bytes: at least ${leastSecretBytes} are needed, ${goodSecretBytes} or more are right. ` +
        `To make one: head -c 32 /dev/urandom | base64`,
    );
  }
  if (length >= goodSecretBytes) return { bytes, ...rest, conditions: [] };
  const message = `${where} has ${length} bytes: RFC 7518 asks for ${goodSecretBytes} or more with HS256.`;
  return { bytes, ...rest, conditions: [condition('ShortSecret', 'SecretTooShort', message)] };
}

async function readSecretFile(file: string): Promise<Uint8Array> {
  try {
    const bytes = await readFile(file);
    return bytes.subarray(0, bytes.length - newlineAtEnd(bytes));
  } catch (error) {
    const why = codeOf(error) === 'ENOENT' ? 'there is no such file' : messageOf(error);
    throw new InputError(`The operator secret cannot be read from ${file}: ${why}`, { cause: error });
  }
}

/** Length of the newline that an editor or `echo` adds. */
function newlineAtEnd(bytes: Uint8Array): number {
  if (bytes.at(-1) !== 0x0a) return 0;
  return bytes.at(-2) === 0x0d ? 2 : 1;
}

/**
 * Only the default file is made. It lies in the state directory, which this process has locked: no other one makes it too.
 * @returns false if the file exists; it is then left as it is
 */
async function makeSecretFile(file: string): Promise<boolean> {
  try {
    await mkdir(dirname(file), { recursive: true });
    const exists = await access(file).then(
      () => true,
      (error: unknown) => codeOf(error) !== 'ENOENT',
    );
    if (exists) return false;
    await writeFileAtomically(file, `${randomBytes(32).toString('base64url')}\n`);
    return true;
  } catch (error) {
    throw new InputError(`The operator secret cannot be made in ${file}: ${messageOf(error)}`, { cause: error });
  }
}
