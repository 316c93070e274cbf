// Exit codes and times of the command line, without a process.
import { expect } from 'chai';
import { parseDuration, parseTimeout } from '../../src/cli/duration.ts';
import { exitCodeHelp, exitCodeOf, exitCodeTable } from '../../src/cli/exit-codes.ts';

describe('exit codes', () => {
  it('stand for the statuses of the operator API', () => {
    const codes = {
      200: 0,
      400: 20,
      401: 21,
      403: 21,
      404: 20,
      405: 20,
      409: 22,
      412: 22,
      413: 20,
      415: 20,
      431: 20,
      500: 1,
      503: 1,
    };
    for (const [status, code] of Object.entries(codes)) expect(exitCodeOf(Number(status)), status).to.equal(code);
  });

  it('are all in the table and the help', () => {
    for (const code of [0, 1, 20, 21, 22, 23, 24, 25, 40]) {
      expect(exitCodeTable()).to.contain(`| ${code} | `);
      expect(exitCodeHelp()).to.match(new RegExp(`^ {2}${code} `, 'm'));
    }
  });
});

describe('duration', () => {
  it('needs a unit', () => {
    expect(['500ms', '30s', '15m', '12h', '7d'].map(parseDuration)).to.deep.equal([
      500, 30_000, 900_000, 43_200_000, 604_800_000,
    ]);
    for (const text of ['', '15', '0s', '-1s', '1.5h', '1 h', '1w', '99999999999999999d']) {
      expect(() => parseDuration(text), text).to.throw('with a unit');
    }
  });

  it('is no longer than a timer can wait, where it is a timeout', () => {
    expect(parseTimeout('24d')).to.equal(2_073_600_000);
    expect(() => parseTimeout('25d')).to.throw('24 days or less');
  });
});
