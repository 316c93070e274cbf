// Sends the state document with its entity tag, and evaluates `If-Match` of commands.
import { createHash } from 'node:crypto';
import type Koa from 'koa';
import type { StateDocument, Version } from '../../control/node-control.ts';
import { problem } from './problems.ts';

/**
 * The tag has three parts: the generation; the desired state of this node, so that tags stay unique if generations
 * restart; a hash of the document with drains, server processes and conditions, which makes it strong (RFC 9110 §8.8.1).
 */
export function answerState(ctx: Koa.Context, state: StateDocument): void {
  const { id, generation, settings, desired } = state;
  const text = JSON.stringify(state);
  const version = versionTag(id, { generation, desired: { ...settings, publicApi: desired.publicApi } });
  ctx.set('ETag', `"${version}.${digest(text)}"`);
  // RFC 9110 §8.7: the body and tag are those of the state, also in the answer to a command.
  ctx.set('Content-Location', '/api/v1/state');
  ctx.status = 200;
  ctx.type = 'application/json';
  // RFC 9110 §13.2.1: GET and HEAD only.
  if (ctx.fresh) ctx.status = 304;
  else ctx.body = text;
}

/**
 * Whether the state in `If-Match` is still current. Only the desired state counts: a draining connection or a crashed
 * worker changes nothing that the operator has set.
 * @returns undefined: there is no `If-Match`
 * @throws {Problem} 400
 */
export function preconditionOf(ctx: Koa.Context, id: string): ((version: Version) => boolean) | undefined {
  const header = ctx.req.headersDistinct['if-match']?.join(',');
  if (header === undefined) return undefined;
  if (header.trim() === '*') return () => true;
  const tags = listOf(header);
  return (version) => {
    const now = versionTag(id, version);
    // The generation alone is accepted, for clients that do not read the ETag.
    return tags.some((tag) => tag === String(version.generation) || tag === now || tag.startsWith(`${now}.`));
  };
}

/** The opaque part of every strong tag; weak ones never match (RFC 9110 §13.1.1). Empty elements are ignored (§5.6.1). */
function listOf(header: string): string[] {
  const element = /[ \t]*(?:(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*)?(?:,|$)/y;
  const tags: string[] = [];
  let named = 0;
  while (element.lastIndex < header.length) {
    const [, weak, tag] = element.exec(header) ?? malformed();
    if (tag === undefined) continue;
    named += 1;
    if (weak === undefined) tags.push(tag);
  }
  return named > 0 ? tags : malformed();
}

function malformed(): never {
  throw problem(400, 'If-Match must be *, or entity tags such as the ETag of the state, in quotes');
}

function versionTag(id: string, { generation, desired: { publicApi, workerId, buckets } }: Version): string {
  return `${generation}.${digest(JSON.stringify([id, publicApi, workerId, buckets && setDigest(buckets)]))}`;
}

/** Settings are immutable: each list is hashed once. */
const known = new WeakMap<readonly string[], string>();

/** Hash of the ids as a set, independent of order. */
function setDigest(buckets: readonly string[]): string {
  const made = known.get(buckets) ?? digest(JSON.stringify([...new Set(buckets)].sort()));
  known.set(buckets, made);
  return made;
}

/** 72 bits: a collision would gain nothing. */
const digest = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 12);
