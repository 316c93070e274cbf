// Types come from signatures; names count only for text, and never for what a browser would run.
import { expect } from 'chai';
import { typeOfFile } from '../../src/base/media-type.ts';
import { type Folder, temporaryFolder } from '../support/temporary-folder.ts';

const cases: Record<string, readonly [content: string | Buffer, type: string]> = {
  'picture.txt': [
    Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex'),
    'image/png',
  ],
  'film.bin': [Buffer.from('000000186674797069736f6d0000020069736f6d69736f32', 'hex'), 'video/mp4'],
  'subtitles.vtt': ['WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n', 'text/vtt'],
  'subtitles.srt': ['1\n00:00:00,000 --> 00:00:01,000\nHello\n', 'application/x-subrip'],
  'note.TXT': ['hello', 'text/plain'],
  'data.json': ['{}', 'application/json'],
  'drawing.svg': ['<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', 'image/svg+xml'],
  'page.html': ['<!doctype html><script>alert(1)</script>', 'application/octet-stream'],
  'page.xhtml': ['<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>', 'application/octet-stream'],
  'code.js': ['alert(1)', 'application/octet-stream'],
  'no-ending': ['hello', 'application/octet-stream'],
  'empty.png': ['', 'application/octet-stream'],
};

describe('media type', () => {
  let folder: Folder;

  before(() => {
    folder = temporaryFolder();
  });

  after(() => folder.remove());

  for (const [name, [content, type]] of Object.entries(cases)) {
    it(`of ${name} is ${type}`, async () => {
      expect(await typeOfFile(folder.write(name, content))).to.equal(type);
    });
  }

  it('of an unreadable file is application/octet-stream', async () => {
    expect(await typeOfFile(`${folder.path}/nowhere.png`)).to.equal('application/octet-stream');
  });
});
