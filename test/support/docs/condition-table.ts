// The table of conditions, from the table in src/base/condition.ts.
import { conditionTable, conditionTypes } from '../../../src/base/condition.ts';
import { table } from './markdown.ts';

export const conditionsTable = (): string =>
  table(
    ['condition', 'reasons', 'severity', 'what is wrong', 'what to do'],
    conditionTypes.map((type) => {
      const { reasons, severity, wrong, remedy } = conditionTable[type];
      return [
        `\`${type}\``,
        reasons?.map((word) => `\`${word}\``).join(' ') ?? '[as below](#crashes)',
        severity,
        wrong,
        remedy,
      ];
    }),
  );
