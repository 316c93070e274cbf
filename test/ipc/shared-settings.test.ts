// The shared settings: every reader sees a write at once and whole, and never older settings.
import fs from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import type { Settings } from '../../machines/settings.ts';
import { openSharedSettings, type SharedSettings, sharedSettingsReader } from '../../src/ipc/shared-settings.ts';
import { failToWrite, writingBy } from '../support/writing-by.ts';

describe('shared settings', () => {
  let sharedSettings: SharedSettings;
  beforeEach(() => {
    sharedSettings = openSharedSettings();
  });
  afterEach(() => sharedSettings.close());

  const settings = (workerId: number, buckets: readonly string[] | null = null): Settings => ({ workerId, buckets });

  it('shows what is new once, to each who looks', () => {
    const [one, other] = [
      sharedSettingsReader(sharedSettings.descriptor, 0),
      sharedSettingsReader(sharedSettings.descriptor, 0),
    ];
    expect(one()).to.equal(null);
    sharedSettings.write({ number: 1, settings: settings(7, ['1:0', 'ä:1']) });
    expect(one()).to.deep.equal(settings(7, ['1:0', 'ä:1']));
    expect(one()).to.equal(null);
    sharedSettings.write({ number: 2, settings: settings(8) });
    expect([one(), other()]).to.deep.equal([settings(8), settings(8)]);
  });

  it('shows nothing older than what is known', () => {
    sharedSettings.write({ number: 3, settings: settings(3) });
    expect(sharedSettingsReader(sharedSettings.descriptor, 3)()).to.equal(null);
    expect(sharedSettingsReader(sharedSettings.descriptor, 4)()).to.equal(null);
    expect(sharedSettingsReader(sharedSettings.descriptor, 2)()).to.deep.equal(settings(3));
  });

  it('is made where it can be, leaves no file behind, and says why where it cannot', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sharedSettings-'));
    openSharedSettings([join(directory, 'missing'), directory]).close();
    expect(await readdir(directory)).to.deep.equal([]);
    await writeFile(join(directory, 'file'), '');
    expect(() => openSharedSettings([join(directory, 'file')])).to.throw(
      /^No file for the server processes to share could be created: tried .*file \(ENOTDIR/,
    );
    await rm(directory, { recursive: true });
  });

  it('is made in the next directory where the first can open a file and not write it', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sharedSettings-'));
    const written: number[] = [];
    writingBy(
      (bytes) => {
        if (written.push(bytes) === 1) failToWrite();
      },
      () => openSharedSettings([directory, directory]).close(),
    );
    expect(written).to.deep.equal([16, 16]);
    expect(await readdir(directory)).to.deep.equal([]);
    await rm(directory, { recursive: true });
  });

  it('stays as it was where settings cannot be written, and takes those that it had prepared for', () => {
    const news = sharedSettingsReader(sharedSettings.descriptor, 0);
    sharedSettings.write({ number: 1, settings: settings(1) });
    sharedSettings.prepare(settings(2));
    expect(news()).to.deep.equal(settings(1));
    const written: number[] = [];
    writingBy(
      (bytes) => written.push(bytes),
      () => sharedSettings.write({ number: 2, settings: settings(2) }),
    );
    expect(written).to.deep.equal([16]);
    const refused = () => writingBy(failToWrite, () => sharedSettings.prepare(settings(3)));
    expect(refused).to.throw('The settings could not be sent to the server processes: ENOSPC: no space left on device');
    expect(() => writingBy(failToWrite, () => sharedSettings.write({ number: 3, settings: settings(3) }))).to.throw(
      'ENOSPC',
    );
    expect(news()).to.deep.equal(settings(2));
    sharedSettings.write({ number: 3, settings: settings(3) });
    expect(news()).to.deep.equal(settings(3));
  });

  it('takes no more room than a few of the largest settings, however often and however they change', () => {
    const news = sharedSettingsReader(sharedSettings.descriptor, 0);
    const largest = 400;
    for (let number = 1; number <= 300; number += 1) {
      const some = settings(number, Array((number * 7919) % largest).fill(String(number)));
      sharedSettings.write({ number, settings: some });
      expect(news()).to.deep.equal(some);
    }
    const most = JSON.stringify(settings(300, Array(largest).fill('300'))).length;
    expect(fs.fstatSync(sharedSettings.descriptor).size).to.be.lessThan(4 * most);
  });

  it('never shows half of a change, however fast they follow each other', async () => {
    const reading = new Worker(
      `const { workerData, parentPort } = require('node:worker_threads');
       import(workerData.module).then(({ sharedSettingsReader }) => {
         const news = sharedSettingsReader(workerData.descriptor, 0);
         let seen = 0;
         parentPort.postMessage('looking');
         for (let last = 0; last < 1000;) {
           const found = news();
           if (found === null) continue;
           const whole = found.buckets.length === found.workerId % 50 && found.buckets.every((id) => id === String(found.workerId));
           if (!whole || found.workerId <= last) throw new Error(JSON.stringify(found));
           last = found.workerId;
           seen += 1;
         }
         parentPort.postMessage(seen);
       });`,
      {
        eval: true,
        workerData: {
          module: new URL('../../src/ipc/shared-settings.js', import.meta.url).href,
          descriptor: sharedSettings.descriptor,
        },
      },
    );
    const failed = new Promise<never>((_, reject) => reading.once('error', reject));
    const message = () => new Promise<unknown>((resolve) => reading.once('message', resolve));
    await Promise.race([message(), failed]);
    const seen = message();
    for (let number = 1; number <= 1000; number += 1) {
      sharedSettings.write({ number, settings: settings(number, Array(number % 50).fill(String(number))) });
    }
    expect(await Promise.race([seen, failed])).to.be.greaterThan(0);
  });
});
