// The example catalogue is what `npm start` serves: valid, complete, and suitable for the README's walk through the commands.
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { openCatalogue } from '../../../src/directory/catalogue/catalogue.ts';
import { dataObject } from '../../../src/store/data-object.ts';
import { memoryIndex } from '../../../src/store/memory-index.ts';
import { observe } from '../../support/directory-observer.ts';

describe('the example catalogue', () => {
  it('has an image and a text in one bucket, a sound and its subtitles in another, all valid', async () => {
    const file = fileURLToPath(new URL('../../../../examples/catalogue.yml', import.meta.url));
    const index = memoryIndex({ kind: 'catalogue', name: file });
    const setup = { kind: 'catalogue', file, checkEveryMs: 1000, maxYamlBytes: 65_536, hashBytesPerSec: 0 } as const;
    const directory = openCatalogue(setup, { index, dataObject, log: { info: () => {}, warn: () => {} } });
    const { ids, object, bucketWorkers, until } = observe(directory, index);
    directory.start();
    await until(() => ids().length > 0 && ids().every((id) => object(id)?.verified));
    await directory.stop();
    expect(directory.conditions).to.be.empty;
    expect(ids().map((id) => [id, object(id)?.type, object(id)?.buckets])).to.deep.equal([
      ['1', 'image/png', ['0:0']],
      ['2', 'text/plain', ['0:0']],
      ['3', 'audio/wav', ['0:1']],
      ['4', 'text/vtt', ['0:1']],
    ]);
    expect(bucketWorkers()).to.deep.equal({ '0:0': [0], '0:1': [0] });
  });
});
