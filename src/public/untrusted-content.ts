// Objects are content of strangers: a type that a browser might execute on this origin gets a policy that forbids it everything.

/** Types that no browser executes. Whatever is not listed gets the policy: it does no harm to what is no document. */
const inert =
  /^(?:(?:audio|video|font)\/[\w.+-]+|image\/(?!svg)[\w.-]+|text\/(?:plain|vtt|csv)|application\/(?:octet-stream|json|pdf|ogg|zip|gzip|vnd\.apple\.mpegurl))(?: *;.*)?$/i;

/**
 * `sandbox`: a document of its own origin, without scripts, forms, windows and navigation. `default-src 'none'`: it loads
 * nothing. What is excepted, an SVG image needs to look right; it names no other host.
 */
const policy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:";

/** @param type MIME type */
export const policyHeaders = (type: string): Readonly<Record<string, string>> =>
  inert.test(type) ? {} : { 'Content-Security-Policy': policy };
