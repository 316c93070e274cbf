// `openapi`: prints the OpenAPI description of both APIs, the same that the node serves.
import { Command } from 'commander';
import { examples } from './help.ts';
import { sayJson } from './print.ts';

export const openapiCommand = (): Command =>
  new Command('openapi')
    .summary('Print the OpenAPI 3.1 description of both APIs.')
    .description('Print the OpenAPI 3.1 description of the operator API and the public API. No running node is needed.')
    .addHelpText(
      'after',
      examples(
        ['distributor-node openapi > openapi.json'],
        ['curl http://localhost:3335/api/v1/openapi.json', 'the same from a running node'],
      ),
    )
    .action(async () => {
      const { openapiDocument } = await import('../openapi/openapi-document.ts');
      sayJson(openapiDocument, 2);
    });
