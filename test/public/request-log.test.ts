// The request log of the public API, and the ids of requests.
import { expect } from 'chai';
import type { RequestLine, RequestsReport } from '../../src/ipc/messages.ts';
import type { RequestContext } from '../../src/public/request-context.ts';
import { RequestLog } from '../../src/public/request-log.ts';
import { Folder } from '../support/folder.ts';
import { type OpenPublicServer, openPublicServer } from '../support/open-public-server.ts';
import { putObjects } from '../support/publish-objects.ts';
import { until } from '../support/until.ts';
import { ask } from '../support/viewer.ts';

describe('the log of public requests', () => {
  let folder: Folder;
  let open: OpenPublicServer | null = null;
  let reports: RequestsReport[];

  before(async () => {
    folder = await Folder.make();
  });
  beforeEach(() => {
    reports = [];
  });
  afterEach(async () => {
    await open?.leave();
    open = null;
  });
  after(() => folder.remove());

  const begin = async (reportsRequests: boolean) => {
    const objects = [await folder.object('42', '0123456789'), await folder.object('45', 'x', { buckets: ['9:9'] })];
    open = await openPublicServer(objects, { reportsRequests, requests: (report) => reports.push(report) });
  };
  const lines = (): RequestLine[] => reports.flatMap((report) => report.lines);
  const named = (path: string, id: string) => ask(open?.port ?? 0, path, { 'x-request-id': id });

  it('names every request in its answer', async () => {
    await begin(false);
    for (const path of ['/api/v1/assets/42', '/api/v1/assets/45', '/api/v1/status', '/nowhere']) {
      expect((await named(path, 'a:1')).headers['x-request-id'], path).to.equal('a:1');
      expect((await named(path, 'a 1')).headers['x-request-id'], path).to.match(/^[0-9a-f-]{36}$/);
    }
    const { headers } = await named('/api/v1/assets/42', 'x');
    expect(headers['access-control-expose-headers']).to.contain('X-Request-Id');
    expect(reports).to.deep.equal([]);
  });

  it('reports every request if configured, without its query', async () => {
    await begin(true);
    await named('/api/v1/assets/42?token=hush', 'one');
    await named('/api/v1/assets/45', 'two');
    await until(() => lines().length === 2);
    expect(lines()[0]).to.deep.include({
      ...{ requestId: 'one', method: 'GET', path: '/api/v1/assets/42', status: 200, cache: 'hit', finished: true },
    });
    expect(lines()[1]).to.include({ requestId: 'two', status: 421, cache: 'elsewhere' });
  });

  it('limits the lines of a batch, and counts the rest', async () => {
    const log = new RequestLog(true, (report) => reports.push(report));
    const answered = { req: { url: '/', socket: {} }, res: { statusCode: 200 }, error: null, answeredAt: 1 };
    for (let at = 0; at < 700; at += 1) log.add(answered as unknown as RequestContext);
    await until(() => reports.length === 1);
    expect([lines().length, reports[0]?.dropped]).to.deep.equal([500, 200]);
  });

  it('always reports the error of a failed request', async () => {
    await begin(false);
    await named('/api/v1/assets/45', 'fine');
    // No file system accepts a name of this length.
    const unreadable = await folder.object('47', 'x', { path: `${folder.path}/${'n'.repeat(300)}` });
    if (open) putObjects(open.index, [unreadable]);
    expect((await named('/api/v1/assets/47', 'broken')).status).to.equal(500);
    await until(() => lines().length === 1);
    expect(lines()[0]).to.include({ requestId: 'broken', status: 500 });
    expect(lines()[0]?.error).to.match(/ENAMETOOLONG/);
  });
});
