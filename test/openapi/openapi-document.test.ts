// The description of both APIs: what it promises, judged by a real linter, and the documented samples within it.
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { expect } from 'chai';
import { commandNames, commands } from '../../machines/commands.ts';
import { version } from '../../src/base/version.ts';
import { memoryDirectory } from '../../src/directory/memory-directory.ts';
import { openapiDocument } from '../../src/openapi/openapi-document.ts';
import { type Exchange, undescribed, undescribedEvent } from '../support/described.ts';

interface WithBody {
  readonly requestBody: {
    readonly content: { readonly 'application/json': { readonly schema: { readonly $ref?: string } } };
  };
}

describe('the API description', () => {
  const { info, servers, paths, components } = openapiDocument;

  it('says whose it is', () => {
    expect(openapiDocument.openapi).to.equal('3.1.0');
    expect(info).to.include({ title: 'Distributor node operator API', version });
    expect(info.license).to.deep.equal({ name: 'GPL-3.0-only', identifier: 'GPL-3.0-only' });
    expect(info.contact.email).to.be.a('string');
    expect(servers[0].url).to.equal('http://localhost:3335/api/v1');
    expect(Object.keys(components.securitySchemes)).to.deep.equal(['accessToken', 'requestToken']);
  });

  it('satisfies a linter, but for the servers: on localhost is where a node listens', async () => {
    const config = await createConfig({ extends: ['recommended'] });
    const source = JSON.stringify(openapiDocument);
    const faults = await lintFromString({ source, absoluteRef: '/openapi.json', config });
    const told = faults.map(({ ruleId, message, location }) => `${ruleId} ${location[0]?.pointer}: ${message}`);
    expect(told.filter((line) => !line.startsWith('no-server-example.com '))).to.deep.equal([]);
  });

  it('has every row of the command table, with the words in which the machine refuses it', () => {
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

  it("has the peer's names, so that clients generated from its description keep their types", () => {
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

  it('has a pattern beside each format of ours, which says no more and no less', () => {
    const found: { format: string; pattern: string }[] = [];
    JSON.stringify(openapiDocument, (_, value) => {
      if (value?.format === 'bucket-id') found.push(value);
      return value;
    });
    expect(found).to.have.lengthOf(2);
    const { isBucketId } = memoryDirectory();
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
      for (const id of texts) expect(new RegExp(pattern, 'u').test(id), JSON.stringify(id)).to.equal(isBucketId(id));
    }
  });

  describe('judges answers:', () => {
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
    const faultsOf = (document: object, changed: Partial<Exchange> = {}) => {
      const text = JSON.stringify(document);
      return undescribed('operator', {
        ...{ method: 'POST', path: '/api/v1/stop-api', status: 409, headers, text },
        ...changed,
      });
    };

    it('takes what is right', () => {
      expect(faultsOf(refusal)).to.deep.equal([]);
    });

    it('refuses statuses, headers, types and bodies of which it does not speak', () => {
      expect(faultsOf(refusal, { status: 418 }).join()).to.contain('no 418');
      expect(faultsOf(refusal, { headers: { ...headers, 'x-powered-by': 'x' } }).join()).to.contain('x-powered-by');
      expect(faultsOf(refusal, { headers: { ...headers, 'cache-control': 'public' } }).join()).to.contain('constant');
      expect(faultsOf(refusal, { headers: { 'content-type': headers['content-type'] } }).join()).to.contain(
        'no header',
      );
      expect(faultsOf(refusal, { headers: { ...headers, 'content-type': 'text/html' } }).join()).to.contain(
        'text/html',
      );
      expect(faultsOf({ ...refusal, stack: 'at …' }).join()).to.contain('additional properties');
      expect(faultsOf({ ...refusal, detail: 'Not now' }).join()).to.contain('allowed values');
      expect(faultsOf({ ...refusal, state: null }).join()).to.contain('must be object');
      expect(faultsOf(refusal, { path: '/api/v1/nothing' }).join()).to.contain('unknown path');
    });

    it('and events', () => {
      const at = '2026-11-23T08:00:00.000Z';
      expect(undescribedEvent({ event: 'end', id: '1-2', data: { at, exitCode: 0 } })).to.deep.equal([]);
      expect(undescribedEvent({ event: 'end', id: '1-2', data: { at } })).not.to.deep.equal([]);
      expect(undescribedEvent({ event: 'news', data: {} })).not.to.deep.equal([]);
    });
  });
});
