// The command table: one row per operator command. Routes, schema checks, subcommands, docs and event types follow from it.

/** The subset of JSON Schema for command bodies; the TypeScript types below are derived from it. */
interface BodySchema {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, PropertySchema>>;
  readonly required: readonly string[];
  readonly additionalProperties: false;
}

/** Every type that an argument can have. The command line and the console have one case for each: the compiler says where. */
export type PropertySchema =
  | { readonly type: 'integer'; readonly minimum: number; readonly maximum: number; readonly description: string }
  | {
      readonly type: 'array';
      readonly items: { readonly type: 'string'; readonly format: 'bucket-id' };
      readonly minItems: number;
      readonly description: string;
    };

export interface CommandRow {
  /** One sentence for help texts, the API reference and the README. */
  readonly summary: string;
  /** The confirmation prompt, only for a command that no other command can undo. */
  readonly confirm?: string;
  /** Command-line examples for help texts; the first one can be run as a dry run. */
  readonly examples: readonly [string, ...string[]];
  /** JSON Schema of the body. An absent body means `{}`. */
  readonly input: BodySchema;
}

const nothing = { type: 'object', properties: {}, required: [], additionalProperties: false } as const;

/** Every operator command, in the order of all lists. */
export const commands = {
  'stop-api': {
    summary: 'Stop the public API: the port refuses, responses under way are finished behind it.',
    examples: ['stop-api', 'stop-api --wait drained'],
    input: nothing,
  },
  'start-api': {
    summary: 'Start the public API: answered once the port accepts connections.',
    examples: ['start-api'],
    input: nothing,
  },
  shutdown: {
    summary: 'Shut the node down: the public port refuses, responses under way are finished, then the process exits.',
    confirm:
      'Viewers are refused at once, responses under way are finished, then the process ends. It has to be started again on its machine: no command here can do that.',
    examples: ['shutdown', 'shutdown --wait exited --wait-timeout 2m'],
    input: nothing,
  },
  'set-worker': {
    summary: 'Set the number by which the directory knows this operator.',
    examples: ['set-worker --worker-id 3'],
    input: {
      type: 'object',
      properties: {
        workerId: {
          type: 'integer',
          minimum: 0,
          maximum: 9007199254740991,
          description: "the operator's number in the directory",
        },
      },
      required: ['workerId'],
      additionalProperties: false,
    },
  },
  'set-buckets': {
    summary: 'Set the buckets this node distributes; without a list, all buckets of the worker.',
    examples: ['set-buckets 1:0 1:1', 'set-buckets --all'],
    input: {
      type: 'object',
      properties: {
        buckets: {
          type: 'array',
          items: { type: 'string', format: 'bucket-id' },
          minItems: 1,
          description: 'bucket ids, e.g. 1:0; left out: all buckets of the worker',
        },
      },
      required: [],
      additionalProperties: false,
    },
  },
} as const satisfies Record<string, CommandRow>;

export type CommandName = keyof typeof commands;

export const commandNames = Object.keys(commands) as CommandName[];

type ValueOf<P> = P extends { type: 'integer' } ? number : P extends { type: 'array' } ? readonly string[] : never;

type InputOf<S extends BodySchema> = {
  readonly [K in keyof S['properties'] & S['required'][number]]: ValueOf<S['properties'][K]>;
} & {
  readonly [K in Exclude<keyof S['properties'], S['required'][number]>]?: ValueOf<S['properties'][K]>;
};

/** A command as the machine receives it: its name as `type`, and the properties of the body. */
export type Command = {
  [N in CommandName]: { readonly type: N } & InputOf<(typeof commands)[N]['input']>;
}[CommandName];

export type SettingsCommand = Extract<Command, { type: 'set-worker' | 'set-buckets' }>;
