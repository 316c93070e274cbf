// The config: its sources, the values of its keys, and the errors for wrong ones.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { InputError } from '../../src/base/errors.ts';
import { packageRoot } from '../../src/base/version.ts';
import { loadConfig } from '../../src/config/config.ts';
import { shownConfig } from '../../src/config/shown-config.ts';

/** A config file as operators of the peer have it, with every key it knows. */
const peerFile = `
id: test-node
endpoints:
  storageSquid: http://localhost:4352/graphql
  joystreamNodeWs: ws://localhost:9944
directories:
  assets: ./local/data
  cacheState: ./local/cache
logs:
  file:
    level: debug
    path: ./local/logs
    maxFiles: 30 # 30 days or 30 * 50 MB
    maxSize: 50485760 # 50 MB
    frequency: daily
    archive: true
  console:
    level: verbose
  elastic:
    level: info
    endpoint: http://localhost:9200
    auth:
      username: elastic
      password: hush-elastic
    indexPrefix: distributor-
limits:
  storage: 100G
  maxConcurrentStorageNodeDownloads: 100
  maxConcurrentOutboundConnections: 300
  outboundRequestsTimeoutMs: 5000
  pendingDownloadTimeoutSec: 3600
  maxCachedItemSize: 1G
  dataObjectSourceByObjectIdTTL: 60
  queryNodeCacheTTL: 60
intervals:
  saveCacheState: 60
  checkStorageNodeResponseTimes: 60
  cacheCleanup: 60
publicApi:
  port: 3334
operatorApi:
  port: 3335
  hmacSecret: this-is-not-so-secret
keys:
  - suri: //Alice
  - mnemonic: "escape naive annual throw"
    type: ed25519
  - keyfile: "/path/to/keyfile.json"
buckets:
  - 1:0
  - "1:1"
workerId: 4
`;

describe('config', () => {
  let cwd: string;
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'config-'));
  });
  afterEach(() => rmSync(cwd, { recursive: true }));

  const write = (text: string, name = 'config.yml'): string => {
    const path = join(cwd, name);
    writeFileSync(path, text);
    return path;
  };
  const load = (env: NodeJS.ProcessEnv = {}, ...paths: string[]) => loadConfig({ paths, env, cwd });
  const messageOfError = (env: NodeJS.ProcessEnv = {}, ...paths: string[]): string => {
    try {
      load(env, ...paths);
    } catch (error) {
      expect(error).to.be.instanceOf(InputError);
      return (error as InputError).message;
    }
    throw new Error('the config was accepted');
  };

  describe('without a file', () => {
    it('has the documented defaults', () => {
      const config = load();
      expect(config.files).to.deep.equal([]);
      expect(config.id).to.equal(hostname());
      expect(config.catalogue).to.equal(join(packageRoot, 'examples', 'catalogue.yml'));
      expect(config.workerId).to.equal(0);
      expect(config.buckets).to.equal(null);
      expect(config.directories.state).to.equal(join(cwd, 'local'));
      expect(config.ignored).to.deep.equal([]);
      expect(config.publicApi).to.include({ host: '0.0.0.0', port: 3334, drainTimeoutSec: 30 });
      expect(config.publicApi.workers).to.equal(availableParallelism());
      expect(config.operatorApi).to.include({
        host: '127.0.0.1',
        port: 3335,
        hmacSecret: null,
        hmacSecretFile: join(cwd, 'local', 'operator-secret'),
        makesSecretFile: true,
        accessTokens: true,
        maxBodyBytes: 1_048_576,
        maxHeaderBytes: 524_288,
      });
    });

    it('is frozen all through', () => {
      const config = load({ DISTRIBUTOR__BUCKETS: '["1:0"]' });
      expect(() => Object.assign(config, { id: 'x' })).to.throw(TypeError);
      expect(() => Object.assign(config.publicApi, { port: 1 })).to.throw(TypeError);
      expect(() => (config.buckets as string[]).push('1:1')).to.throw(TypeError);
    });
  });

  describe('which file', () => {
    it("is the option, else DISTRIBUTOR_CONFIG, else the peer's CONFIG_PATH, else ./config.yml", () => {
      write('id: usual');
      write('id: from-peer', 'peer.yml');
      write('id: from-env', 'env.yml');
      write('id: from-option', 'option.yml');
      expect(load({ CONFIG_PATH: '' }).id).to.equal('usual');
      expect(load({ CONFIG_PATH: 'peer.yml' }).id).to.equal('from-peer');
      const env = { DISTRIBUTOR_CONFIG: 'env.yml', CONFIG_PATH: 'peer.yml' };
      expect(load(env).id).to.equal('from-env');
      expect(load(env, 'option.yml').id).to.equal('from-option');
      expect(messageOfError({ CONFIG_PATH: 'missing.yml' })).to.contain('missing.yml does not exist');
    });

    it('may be JSON', () => {
      const path = write('{\n\t"id": "json-node",\n\t"publicApi": { "port": 0 }\n}\n', 'config.json');
      expect(load({}, path)).to.deep.include({ id: 'json-node', files: [path] });
    });

    it('may be empty', () => {
      write('# nothing yet\n');
      expect(load().publicApi.port).to.equal(3334);
    });

    it('must be there where it was named', () => {
      expect(messageOfError({}, 'missing.yml')).to.equal(`The config file ${join(cwd, 'missing.yml')} does not exist`);
      mkdirSync(join(cwd, 'folder'));
      expect(messageOfError({}, 'folder')).to.match(/folder cannot be read \(EISDIR\)$/);
    });
  });

  describe('the keys of a file', () => {
    it('have their paths relative to it', () => {
      mkdirSync(join(cwd, 'etc'));
      const path = write('catalogue: assets/catalogue.yml\ndirectories: { state: /var/lib/node }', 'etc/node.yml');
      const config = load({ DISTRIBUTOR__OPERATOR_API__HMAC_SECRET_FILE: 'secret' }, path);
      expect(config.catalogue).to.equal(join(cwd, 'etc', 'assets', 'catalogue.yml'));
      expect(config.directories.state).to.equal('/var/lib/node');
      expect(config.operatorApi?.hmacSecretFile).to.equal(join(cwd, 'secret'));
      expect(config.operatorApi?.makesSecretFile).to.equal(false);
    });

    it('put the state where the peer keeps its own, unless they say where', () => {
      write('directories: { cacheState: ./cache }\noperatorApi: {}');
      const { directories, operatorApi, auditLog, ignored } = load();
      expect(directories.state).to.equal(join(cwd, 'cache'));
      expect(operatorApi?.hmacSecretFile).to.equal(join(cwd, 'cache', 'operator-secret'));
      expect(auditLog.path).to.equal(join(cwd, 'cache', 'audit.jsonl'));
      expect(ignored).to.deep.equal([]);
      expect(load({ DISTRIBUTOR__DIRECTORIES__STATE: '/state' }).directories.state).to.equal('/state');
      write('directories: { cacheState: ./cache, state: ./state }');
      expect(load().directories.state).to.equal(join(cwd, 'state'));
    });

    it('mean no operator API where the section is left out', () => {
      write('id: quiet');
      expect(load().operatorApi).to.equal(null);
      expect(load({ DISTRIBUTOR__OPERATOR_API__PORT: '0' }).operatorApi?.port).to.equal(0);
      write('operatorApi: {}');
      expect(load().operatorApi?.port).to.equal(3335);
      expect(load({ DISTRIBUTOR__OPERATOR_API: 'off' }).operatorApi).to.equal(null);
    });

    it('count as left out where they have no value', () => {
      write('buckets:\nworkerId: null\noperatorApi:\n');
      expect(load()).to.deep.include({ buckets: null, workerId: 0, operatorApi: null });
    });

    it('take sizes as numbers or with a unit', () => {
      write('publicApi: { hotObjectsBytes: 2K }\noperatorApi: { maxBodyBytes: 2048 }');
      const { publicApi, operatorApi } = load();
      expect(publicApi.hotObjectsBytes).to.equal(2048);
      expect(operatorApi?.maxBodyBytes).to.equal(2048);
    });

    it('are taken as the peer has them, and those without a meaning yet are named', () => {
      const path = write(peerFile);
      const config = load();
      expect(config).to.deep.include({ files: [path], id: 'test-node', catalogue: null, workerId: 4 });
      expect(config.buckets).to.deep.equal(['1:0', '1:1']);
      expect(config.logs.console.level).to.equal('verbose');
      expect(config.logs.file).to.deep.include({
        ...{ level: 'debug', path: join(cwd, 'local/logs'), maxFiles: 30, maxSize: 50_485_760 },
        ...{ frequency: 'daily', archive: true },
      });
      expect(config.operatorApi?.hmacSecret).to.equal('this-is-not-so-secret');
      expect(config.ignored).to.include.members(['endpoints.joystreamNodeWs', 'keys']);
      expect(config.ignored).not.to.include('publicApi.port').and.not.to.include('endpoints.storageSquid');
      const catalogue = { DISTRIBUTOR__CATALOGUE: 'catalogue.yml' };
      expect(load(catalogue).ignored).to.include('endpoints.storageSquid (catalogue is set)');
    });
  });

  it('accepts keys of earlier versions whose values are now fixed, and lists them', () => {
    const retired = ['supervision.calmMs', 'operatorApi.eventsBufferBytes'];
    write('supervision: { calmMs: 5, startTimeoutMs: 7 }\noperatorApi: { eventsBufferBytes: 2K }\n');
    const { ignored, supervision } = load({ DISTRIBUTOR__SUPERVISION__REJOIN_MS: '5' });
    expect(ignored).to.have.members([...retired, 'supervision.rejoinMs']);
    expect(supervision).to.deep.equal({ startTimeoutMs: 7 });
  });

  describe('several files', () => {
    it('are laid over each other key by key, the later ones on top; paths are relative to their own file', () => {
      mkdirSync(join(cwd, 'peer'));
      const peer = write(peerFile, 'peer/config.yml');
      const ours = write(
        'catalogue: ./catalogue.yml\npublicApi: { workers: 3 }\nbuckets: ["2:0"]\nworkerId:\n',
        'ours.yml',
      );
      const config = load({}, 'peer/config.yml', 'ours.yml');
      expect(config).to.deep.include({ files: [peer, ours], id: 'test-node', buckets: ['2:0'], workerId: 4 });
      expect(config.publicApi).to.include({ port: 3334, workers: 3 });
      expect(config.catalogue).to.equal(join(cwd, 'catalogue.yml'));
      expect(config.logs.file?.path).to.equal(join(cwd, 'peer', 'local', 'logs'));
      expect(load({}, 'ours.yml', 'peer/config.yml').buckets).to.deep.equal(['1:0', '1:1']);
    });

    it('may name the secret of the one in a file of the other', () => {
      const peer = write(peerFile, 'peer.yml');
      const ours = write('operatorApi: { hmacSecretFile: ./secret }', 'ours.yml');
      expect(load({}, peer, ours).operatorApi).to.include({ hmacSecret: null, hmacSecretFile: join(cwd, 'secret') });
      expect(load({}, ours, peer).operatorApi?.hmacSecret).to.equal('this-is-not-so-secret');
      const env = { DISTRIBUTOR__OPERATOR_API__HMAC_SECRET: 'another-secret-of-the-environment' };
      expect(load(env, peer, ours).operatorApi?.hmacSecret).to.equal(env.DISTRIBUTOR__OPERATOR_API__HMAC_SECRET);
    });

    it('are each named with what is wrong in them', () => {
      const one = write('publicApi:\n  prot: 1\n  port: 99999\nid: 42\n', 'one.yml');
      const two = write('# nothing else\nid: 43\npublicApi: { proxy: 1 }\n', 'two.yml');
      const env = { DISTRIBUTOR__PUBLIC_API__WORKERS: 'many' };
      expect(messageOfError(env, one, two).split('\n')).to.have.members([
        `The config (${one}, ${two} and environment) is not valid:`,
        `  ${one} line 2: publicApi.prot: no such key; did you mean publicApi.port?`,
        `  ${one} line 3: publicApi.port: must be a whole number from 0 to 65535, not 99999`,
        `  ${two} line 2: id: must be a text in one line, not empty (write numbers in quotes), not 43`,
        `  ${two} line 3: publicApi.proxy: no such key`,
        '  DISTRIBUTOR__PUBLIC_API__WORKERS: publicApi.workers: must be a whole number from 1 to 1024, not "many"',
      ]);
      write('just words', 'two.yml');
      expect(messageOfError({}, one, two)).to.equal(
        `The config file ${two} must hold keys with values, like «id: my-node»`,
      );
    });

    it('mean an operator API where one of them has the section', () => {
      const one = write('id: one', 'one.yml');
      const two = write('operatorApi: {}', 'two.yml');
      expect(load({}, one).operatorApi).to.equal(null);
      expect(load({}, two, one).operatorApi).not.to.equal(null);
    });
  });

  describe('log files', () => {
    it('are there where a folder is named, with a size and number that fill no disk', () => {
      expect(load().logs.file).to.equal(null);
      write('logs: { file: { path: logs } }');
      expect(load().logs.file).to.deep.include({
        level: 'info',
        path: join(cwd, 'logs'),
        maxFiles: 30,
        archive: false,
      });
      expect(load({ DISTRIBUTOR__LOGS__FILE__LEVEL: 'off' }).logs.file).to.equal(null);
    });

    it('need a folder', () => {
      write('logs: { file: { level: debug } }');
      expect(() => load()).to.throw('logs.file.path must name the folder');
    });
  });

  describe('the environment', () => {
    it('overrides the files, and our prefix overrides that of the peer', () => {
      write(peerFile);
      const env = {
        JOYSTREAM_DISTRIBUTOR__OPERATOR_API__PORT: '4001',
        JOYSTREAM_DISTRIBUTOR__PUBLIC_API__PORT: '4002',
        DISTRIBUTOR__OPERATOR_API__PORT: '4003',
        DISTRIBUTOR__OPERATOR_API__ACCESS_TOKENS: 'false',
        DISTRIBUTOR__BUCKETS: '["2:0","2:1"]',
        JOYSTREAM_DISTRIBUTOR__LIMITS__DATA_OBJECT_SOURCE_BY_OBJECT_ID_TTL: '5',
        JOYSTREAM_DISTRIBUTOR__KEYS: '[{"suri":"//Bob"}]',
      };
      const config = load(env);
      expect(config.operatorApi).to.include({ port: 4003, accessTokens: false });
      expect(config.publicApi.port).to.equal(4002);
      expect(config.buckets).to.deep.equal(['2:0', '2:1']);
    });

    it('unsets values with off, null and undefined', () => {
      write(peerFile);
      expect(load({ DISTRIBUTOR__BUCKETS: 'off' }).buckets).to.equal(null);
      expect(load({ DISTRIBUTOR__WORKER_ID: 'null' }).workerId).to.equal(null);
      expect(load({ DISTRIBUTOR__ID: 'undefined' }).id).to.equal(hostname());
      expect(load({ DISTRIBUTOR__ENDPOINTS: 'off' }).catalogue).to.match(/catalogue\.yml$/);
      expect(load({ DISTRIBUTOR__LOGS__CONSOLE__LEVEL: 'off' }).logs.console.level).to.equal('off');
    });

    it('can name a secret file in place of the secret in the file', () => {
      write(peerFile);
      const config = load({ DISTRIBUTOR__OPERATOR_API__HMAC_SECRET_FILE: '/run/secret' });
      expect(config.operatorApi).to.include({ hmacSecret: null, hmacSecretFile: '/run/secret' });
    });

    it('sets a section whole, and keys on top of it', () => {
      const env = { DISTRIBUTOR__PUBLIC_API: '{"port": 1, "workers": 3}', DISTRIBUTOR__PUBLIC_API__PORT: '2' };
      expect(load(env).publicApi).to.include({ port: 2, workers: 3 });
    });

    it('is refused where it names no key, with what was probably meant', () => {
      const text = messageOfError({ DISTRIBUTOR__OPERATOR_API__PROT: '1', JOYSTREAM_DISTRIBUTOR__PORT: '1' });
      expect(text).to.contain(
        'DISTRIBUTOR__OPERATOR_API__PROT: no such key; did you mean DISTRIBUTOR__OPERATOR_API__PORT?',
      );
      expect(text).not.to.contain('JOYSTREAM');
    });

    it('of the peer may name keys that are not known: they are listed, with what was probably meant, and ignored', () => {
      const { ignored, ...config } = load({
        JOYSTREAM_DISTRIBUTOR__PORT: '80',
        JOYSTREAM_DISTRIBUTOR__ENDPOINTS__ELASTIC_SEARCH: 'http://hush@localhost:9200',
        JOYSTREAM_DISTRIBUTOR__WORKERID: '1',
        JOYSTREAM_DISTRIBUTOR__INTERVALS__SAVE_CACHE_STATE: '1',
      });
      expect(ignored).to.deep.equal([
        'intervals.saveCacheState',
        'JOYSTREAM_DISTRIBUTOR__PORT',
        'JOYSTREAM_DISTRIBUTOR__WORKERID (did you mean JOYSTREAM_DISTRIBUTOR__WORKER_ID?)',
        'JOYSTREAM_DISTRIBUTOR__ENDPOINTS__ELASTIC_SEARCH',
      ]);
      const { ignored: _, ...plain } = load();
      expect(config).to.deep.equal(plain);
    });

    it('silences the console with the section of it, or of all logs, switched off', () => {
      for (const section of [
        'DISTRIBUTOR__LOGS__CONSOLE',
        'JOYSTREAM_DISTRIBUTOR__LOGS__CONSOLE',
        'DISTRIBUTOR__LOGS',
      ]) {
        write('logs: { console: { level: debug } }');
        expect(load({ [section]: 'off' }).logs.console.level, section).to.equal('off');
        expect(load({ [section]: 'off', DISTRIBUTOR__LOGS__CONSOLE__LEVEL: 'warn' }).logs.console.level).to.equal(
          'warn',
        );
      }
    });

    it('is refused where a value does not fit its key', () => {
      const text = messageOfError({
        DISTRIBUTOR__OPERATOR_API__PORT: '33x5',
        DISTRIBUTOR__BUCKETS: '1:0,1:1',
        DISTRIBUTOR__PUBLIC_API__HOST: '',
        DISTRIBUTOR__PUBLIC_API: '[1]',
        DISTRIBUTOR__OPERATOR_API__ACCESS_TOKENS: 'maybe',
      });
      expect(text).to.contain(
        'DISTRIBUTOR__OPERATOR_API__PORT: operatorApi.port: must be a whole number from 0 to 65535, not "33x5"',
      );
      expect(text).to.match(/DISTRIBUTOR__BUCKETS: buckets: must be a list of at least one different strings/);
      expect(text).to.match(/ACCESS_TOKENS: operatorApi.accessTokens: must be true or false, not "maybe"/);
    });
  });

  describe('what is wrong', () => {
    it('is listed whole, each with its line', () => {
      const path = write(
        [
          'id: 42',
          'publicApi:',
          '  prot: 3334',
          '  port: 99999',
          'buckets: [1, "1:0", "1:0"]',
          'port: 1',
          'hmacSecret: hush-hush',
          'operatorApi:',
          '  hmacSecret: [hush-list]',
          '  maxBodyBytes: 5X',
          '  allowedHosts: [node.example, "http://node.example"]',
          'logs: loud',
          'limits: { storage: lots }',
        ].join('\n'),
      );
      const text = messageOfError();
      expect(text.split('\n')).to.have.members([
        `The config (${path} and environment) is not valid:`,
        '  line 1: id: must be a text in one line, not empty (write numbers in quotes), not 42',
        '  line 3: publicApi.prot: no such key; did you mean publicApi.port?',
        '  line 4: publicApi.port: must be a whole number from 0 to 65535, not 99999',
        '  line 5: buckets: must be a list of at least one different strings, like ["1:0", "1:1"] (write numbers in quotes)',
        '  line 6: port: no such key; did you mean publicApi.port?',
        '  line 7: hmacSecret: no such key; did you mean operatorApi.hmacSecret?',
        '  line 9: operatorApi.hmacSecret: must be a text in one line, not empty (write numbers in quotes)',
        '  line 10: operatorApi.maxBodyBytes: must be a number of bytes of 1024 or more, or a size like 500G (units B K M G T), not "5X"',
        '  line 11: operatorApi.allowedHosts: must be a list of names or addresses, like ["node.example", "192.0.2.7"]',
        '  line 12: logs: must hold further keys',
        '  line 13: limits.storage: must be a number of bytes, or a size like 500G (units B K M G T), not "lots"',
      ]);
    });

    it('is a key named like something that every object has', () => {
      write('__proto__: { id: x }\npublicApi: { constructor: 1 }\n');
      expect(messageOfError()).to.match(
        /line 1: __proto__: no such key\n {2}line 2: publicApi\.constructor: no such key$/,
      );
    });

    it('names the line of a file that is not YAML', () => {
      write('id: a\nid: b\n');
      expect(messageOfError()).to.match(/is not valid YAML:\n {2}line 2: duplicated mapping key$/);
      write('operatorApi: &a\n  hmacSecret: *a\n');
      expect(messageOfError()).to.match(/is not valid YAML:\n {2}an alias refers to itself$/);
      write('just words');
      expect(messageOfError()).to.match(/must hold keys with values/);
      write('- a list');
      expect(messageOfError()).to.match(/must hold keys with values/);
    });

    it('cannot be both a secret and a file of one', () => {
      write('operatorApi: { hmacSecret: hush-hush, hmacSecretFile: x }');
      expect(messageOfError()).to.equal(
        'Only one of operatorApi.hmacSecret and operatorApi.hmacSecretFile can be given',
      );
    });

    it('never shows a secret', () => {
      const broken = [
        'operatorApi: hush-1',
        'operatorApi: { hmacSecret: [hush-2] }',
        'operatorApi: { hmacSecret: { hush: hush-3 } }',
        'operatorApi: { hmacSecret: 77777 }',
        'operatorApi: { hmacSecret: *hush-4 }',
        'operatorApi: { hmacSecret: !hush-5 x }',
        'operatorApi: { hmacSecret: "hush-6 }',
        'operatorApi: { hmacSecret: @hush-7 }',
        'operatorApi: { hmacSecret: |hush-8 }',
        'operatorApi: { hmacSecret: "\\hush-9" }',
        'operatorApi:\n  hmacSecret: hush-10: x',
        'operatorApi:\n  hmacSecret: hush-11\n hush-12',
        'keys: hush-13',
        'keys: { suri: hush-14 }',
        'logs: { elastic: { auth: { password: [hush-15] } } }',
        '{"operatorApi": {"hmacSecret": "hush-16" "port": 1}}',
      ];
      for (const text of broken) {
        write(text);
        expect(messageOfError(), text).not.to.match(/hush|7777/);
      }
      expect(messageOfError({ DISTRIBUTOR__OPERATOR_API__HMAC_SECRET: '', DISTRIBUTOR__KEYS: 'hush-17' })).not.to.match(
        /hush/,
      );
    });
  });

  it('is shown without its secret', () => {
    write(peerFile);
    const text = JSON.stringify(shownConfig(load()));
    expect(text)
      .to.contain('"hmacSecret":"(not shown)"')
      .and.not.to.match(/this-is-not|Alice|hush/);
  });
});
