// The description of both APIs: checked by a linter and against the command table.
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { expect } from 'chai';
import { commandNames, commands } from '../../machines/commands.ts';
import { isCatalogueBucketId } from '../../src/base/bucket-id.ts';
import { version } from '../../src/base/version.ts';
import { openapiDocument } from '../../src/openapi/openapi-document.ts';
import { type Exchange, undescribed, undescribedEvent } from '../support/described.ts';

interface WithBody {
  readonly requestBody: {
    readonly content: { readonly 'application/json': { readonly schema: { readonly $ref?: string } } };
  };
}

describe('the API description', () => {
  const { info, servers, paths, components } = openapiDocument;

  it('has title, version, license, contact and servers', () => {
    expect(openapiDocument.openapi).to.equal('3.1.0');
    expect(info).to.include({ title: 'Distributor node operator API', version });
    expect(info.license).to.deep.equal({ name: 'GPL-3.0-only', identifier: 'GPL-3.0-only' });
    expect(info.contact.email).to.be.a('string');
    expect(servers[0].url).to.equal('http://localhost:3335/api/v1');
    expect(Object.keys(components.securitySchemes)).to.deep.equal(['accessToken', 'requestToken']);
  });

  it('passes the linter, except for its rule against localhost servers', async () => {
    const config = await createConfig({ extends: ['recommended'] });
    const source = JSON.stringify(openapiDocument);
    const findings = await lintFromString({ source, absoluteRef: '/openapi.json', config });
    const lines = findings.map(({ ruleId, message, location }) => `${ruleId} ${location[0]?.pointer}: ${message}`);
    expect(lines.filter((line) => !line.startsWith('no-server-example.com '))).to.deep.equal([]);
  });

  it('has every row of the command table, with the reasons for which the machine refuses it', () => {
    const table = paths as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    const schemas: Readonly<Record<string, object>> = components.schemas;
    for (const name of commandNames) {
      expect(table[`/${name}`]?.post, name).to.deep.include({ summary: commands[name].summary });
      const { requestBody } = (table[`/${name}`]?.post ?? {}) as WithBody;
      const { schema } = requestBody.content['application/json'];
      const described = schema.$ref === undefined ? schema : schemas[schema.$ref.replace('#/components/schemas/', '')];
      expect(
        JSON.parse(JSON.stringify(described, (key, value) => (key === 'pattern' ? undefined : value))),
      ).to.deep.equal(commands[name].input);
    }
    expect(JSON.stringify(table['/stop-api'])).to.contain(
      '"Already stopped","Already stopping","Node is shutting down"',
    );
    expect(JSON.stringify(table['/set-worker'])).not.to.contain('Still starting');
  });

  it("keeps the peer's names, so that generated clients keep their types", () => {
    const text = JSON.stringify(openapiDocument);
    for (const name of [
      'SetWorkerOperation',
      'SetBucketsOperation',
      'StatusResponse',
      'BucketsResponse',
      'ErrorResponse',
    ]) {
      expect(text).to.contain(`{"$ref":"#/components/schemas/${name}"}`);
    }
    const ids = [...text.matchAll(/"operationId":"([\w.]+)"/g)].map(([, id]) => id);
    expect(ids).to.include.members([
      ...['operator.stopApi', 'operator.startApi', 'operator.shutdown', 'operator.setWorker', 'operator.setBuckets'],
      ...['public.status', 'public.buckets', 'public.asset', 'public.assetHead'],
    ]);
  });

  it('has a pattern equivalent to each custom format', () => {
    const found: { format: string; pattern: string }[] = [];
    JSON.stringify(openapiDocument, (_, value) => {
      if (value?.format === 'bucket-id') found.push(value);
      return value;
    });
    expect(found).to.have.lengthOf(2);
    const texts = [
      '1:0',
      'string',
      'with blanks',
      'ü',
      '😀'.repeat(128),
      '',
      'a\n',
      '\u0007',
      '\u0085',
      'x'.repeat(129),
    ];
    for (const { pattern } of found) {
      for (const id of texts)
        expect(new RegExp(pattern, 'u').test(id), JSON.stringify(id)).to.equal(isCatalogueBucketId(id));
    }
  });

  describe('checks responses:', () => {
    const headers = {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-request-id': 'one:1',
    };
    const problem = { type: 'about:blank', title: 'Conflict', status: 409 };
    const state = { node: 'running', publicApi: 'stopped' };
    const words = { detail: 'Already stopped', message: 'Already stopped' };
    const refusal = { ...problem, ...words, state, allowed: ['start-api'] };
    const errorsOf = (document: object, changed: Partial<Exchange> = {}) => {
      const text = JSON.stringify(document);
      return undescribed('operator', {
        ...{ method: 'POST', path: '/api/v1/stop-api', status: 409, headers, text },
        ...changed,
      });
    };

    it('accepts a described response', () => {
      expect(errorsOf(refusal)).to.deep.equal([]);
    });

    it('rejects undescribed statuses, headers, types and bodies', () => {
      expect(errorsOf(refusal, { status: 418 }).join()).to.contain('no 418');
      expect(errorsOf(refusal, { headers: { ...headers, 'x-powered-by': 'x' } }).join()).to.contain('x-powered-by');
      expect(errorsOf(refusal, { headers: { ...headers, 'cache-control': 'public' } }).join()).to.contain('constant');
      expect(errorsOf(refusal, { headers: { 'content-type': headers['content-type'] } }).join()).to.contain(
        'no header',
      );
      expect(errorsOf(refusal, { headers: { ...headers, 'content-type': 'text/html' } }).join()).to.contain(
        'text/html',
      );
      expect(errorsOf({ ...refusal, stack: 'at …' }).join()).to.contain('additional properties');
      expect(errorsOf({ ...refusal, detail: 'Not now' }).join()).to.contain('allowed values');
      expect(errorsOf({ ...refusal, state: null }).join()).to.contain('must be object');
      expect(errorsOf(refusal, { path: '/api/v1/nothing' }).join()).to.contain('unknown path');
    });

    it('checks events', () => {
      const at = '2026-11-23T08:00:00.000Z';
      expect(undescribedEvent({ event: 'end', id: '1-2', data: { at, exitCode: 0 } })).to.deep.equal([]);
      expect(undescribedEvent({ event: 'end', id: '1-2', data: { at } })).not.to.deep.equal([]);
      expect(undescribedEvent({ event: 'news', data: {} })).not.to.deep.equal([]);
    });
  });
});
