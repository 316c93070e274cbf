// Objects are untrusted content: a type that a browser might execute on this origin is sent with a policy that forbids everything.

/** Groups of types that no browser executes, except XML types. */
const inertGroups = new Set(['audio', 'font', 'image', 'video']);

const inertTypes = new Set([
  ...['text/plain', 'text/vtt', 'text/csv'],
  ...['json', 'octet-stream', 'ogg', 'pdf', 'vnd.apple.mpegurl', 'zip'].map((name) => `application/${name}`),
]);

/**
 * `sandbox`: the document has an opaque origin, and no scripts, forms, windows or navigation. `default-src 'none'`: it loads
 * nothing. The exceptions let an SVG image look right; they allow no other host.
 */
const policy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:";

/** @param type MIME type; a type that is not known to be inert gets the policy, which does no harm to other content */
export const policyHeaders = (type: string): Readonly<Record<string, string>> =>
  isInert(type) ? {} : { 'Content-Security-Policy': policy };

function isInert(type: string): boolean {
  const [name = ''] = type.toLowerCase().split(';', 1);
  const [, group = ''] = /^([a-z]+)\/[\w.+-]+$/.exec(name.trim()) ?? [];
  return inertTypes.has(name.trim()) || (inertGroups.has(group) && !/svg|xml/.test(name));
}
