// Which types of strangers' content get a policy.
import { expect } from 'chai';
import { policyHeaders } from '../../src/public/untrusted-content.ts';

describe('the policy for the content of strangers', () => {
  it('forbids everything to types that a browser might execute, and to unknown ones', () => {
    for (const type of [
      'text/html',
      'TEXT/HTML; charset=utf-8',
      'application/xhtml+xml',
      'image/svg+xml',
      'IMAGE/SVG+XML',
      'image/svg',
      'text/xml',
      'application/xml',
      'application/rss+xml',
      'text/javascript',
      'application/javascript',
      'application/wasm',
      'multipart/x-mixed-replace',
      'text/css',
      'text/plain, text/html',
      'video/mp4,text/html',
      '',
    ]) {
      expect(policyHeaders(type)['Content-Security-Policy'], type).to.match(/^sandbox; default-src 'none'; /);
    }
  });

  it('has nothing to forbid to media, fonts and plain data', () => {
    for (const type of [
      'video/mp4',
      'video/x-matroska',
      'audio/mpeg',
      'audio/ogg; codecs=opus',
      'image/png',
      'image/jpeg',
      'image/avif',
      'image/vnd.microsoft.icon',
      'font/woff2',
      'text/plain; charset=utf-8',
      'text/vtt',
      'application/json',
      'application/pdf',
      'application/octet-stream',
    ]) {
      expect(policyHeaders(type), type).to.deep.equal({});
    }
  });
});
