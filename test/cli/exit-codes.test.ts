// Exit codes of the command line, without a process.
import { expect } from 'chai';
import { exitCodeHelp, exitCodeOf, exitCodeTable } from '../../src/cli/exit-codes.ts';

describe('exit codes', () => {
  it('map the statuses of the operator API', () => {
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

  it('are all listed in the table and the help', () => {
    for (const code of [0, 1, 20, 21, 22, 23, 24, 25, 40]) {
      expect(exitCodeTable()).to.contain(`| ${code} | `);
      expect(exitCodeHelp()).to.match(new RegExp(`^ {2}${code} `, 'm'));
    }
  });
});
