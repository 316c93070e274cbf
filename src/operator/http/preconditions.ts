// The state document as it is sent, with its entity tag, and what `If-Match` says of the state a command was meant for.
import { createHash } from 'node:crypto';
import type Koa from 'koa';
import type { StateDocument, Version } from '../../control/node-control.ts';
import { problem } from './problems.ts';

/**
 * Three parts: the generation; what is desired in this node, so that no tag means two things should generations begin
 * anew; the document, which also tells of drains, workers and conditions. So it is a strong tag (RFC 9110 §8.8.1).
 */
export function answerState(ctx: Koa.Context, state: StateDocument): void {
  const { id, generation, settings, desired } = state;
  const text = JSON.stringify(state);
  const version = versionTag(id, { generation, desired: { ...settings, publicApi: desired.publicApi } });
  ctx.set('ETag', `"${version}.${digest(text)}"`);
  // RFC 9110 §8.7: whose document and tag this is, also where it answers a command.
  ctx.set('Content-Location', '/api/v1/state');
  ctx.status = 200;
  ctx.type = 'application/json';
  // RFC 9110 §13.2.1: GET and HEAD only.
  if (ctx.fresh) ctx.status = 304;
  else ctx.body = text;
}

/**
 * Whether a command is still meant: what `If-Match` names has not moved on. Of a tag only what is desired counts, since
 * a drain that goes on or a worker that dies moves nothing the operator has set.
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
    // The generation alone does for whoever has read nothing but the document.
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

/** Settings are replaced, never changed: each list is looked through once. */
const known = new WeakMap<readonly string[], string>();

/** Of the ids as a set: their order has no meaning. */
function setDigest(buckets: readonly string[]): string {
  const made = known.get(buckets) ?? digest(JSON.stringify([...new Set(buckets)].sort()));
  known.set(buckets, made);
  return made;
}

/** 72 bits: nobody gains by making two alike. */
const digest = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 12);
