// Objects are content of strangers: a type that a browser might execute on this origin gets a policy that forbids it everything.

/** Groups of types that no browser executes, but for those that are XML. */
const inertGroups = new Set(['audio', 'font', 'image', 'video']);

const inertTypes = new Set([
  ...['text/plain', 'text/vtt', 'text/csv'],
  ...['json', 'octet-stream', 'ogg', 'pdf', 'vnd.apple.mpegurl', 'zip'].map((name) => `application/${name}`),
]);

/**
 * `sandbox`: a document of its own origin, without scripts, forms, windows and navigation. `default-src 'none'`: it loads
 * nothing. What is excepted, an SVG image needs to look right; it names no other host.
 */
const policy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:";

/** @param type MIME type. One that is not known to be inert gets the policy: it does no harm to what is no document */
export const policyHeaders = (type: string): Readonly<Record<string, string>> =>
  isInert(type) ? {} : { 'Content-Security-Policy': policy };

function isInert(type: string): boolean {
  const [name = ''] = type.toLowerCase().split(';', 1);
  const [, group = ''] = /^([a-z]+)\/[\w.+-]+$/.exec(name.trim()) ?? [];
  return inertTypes.has(name.trim()) || (inertGroups.has(group) && !/svg|xml/.test(name));
}
