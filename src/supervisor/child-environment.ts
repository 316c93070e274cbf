// The environment of a child process: only what it needs, since processes that face the public must not have secrets.

/** An allowlist, since a denylist could not be complete: one variable may contain a whole section of the config. */
const needed = [
  'NODE_ENV',
  'NODE_OPTIONS',
  'NODE_V8_COVERAGE',
  'UV_THREADPOOL_SIZE',
  'TZ',
  'LD_LIBRARY_PATH',
  'LD_PRELOAD',
  'GLIBC_TUNABLES',
  'MALLOC_ARENA_MAX',
  'MALLOC_CONF',
];

export const childEnvironment = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(needed.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
