// The operator's HMAC secret: read from file or config, made on first start, refused when it can be guessed.
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
  /** Its file, absolute; null: it stands in the config. */
  readonly file: string | null;
  /** Whether this call has made it. */
  readonly made: boolean;
  /** What the state document has to say of it; empty: it is long enough. */
  readonly conditions: readonly Condition[];
}

/** RFC 7518 §3.2: an HS256 key has at least as many bits as the hash. */
const goodSecretBytes = 32;

/**
 * The secret of these settings. The node asks with `make`, the command line on the same machine without.
 * @param options.make make the file where there is none: 32 random bytes as base64url, mode 0600
 * @throws {InputError} where there is none, it cannot be read or made, or it is shorter than 16 bytes
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

/** The secret given by hand, as `--secret` and `--secret-file` of the command line do. Same rules, same errors. */
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

/** Length of the newline that an editor or `echo` leaves behind the secret. */
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
