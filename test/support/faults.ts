// Loaded into the server processes of a node under test: signals that inject faults, as a bug would.

const faults: Partial<Record<NodeJS.Signals, () => void>> = {
  SIGUSR2: () => {
    throw new TypeError('a fault that was thrown in');
  },
  SIGWINCH: () => {
    for (;;);
  },
  SIGURG: () => {
    for (const hoard: unknown[] = []; ; ) hoard.push(new Array(100_000).fill(hoard.length));
  },
};

if (process.argv[1]?.endsWith('public/server-main.js')) {
  for (const [signal, fault] of Object.entries(faults)) process.on(signal, fault);
}
