// A plain HTTP origin: the URL of one object, and how it is named.

/** For logs and conditions: without user, password and query, which may contain a secret. */
export function nameOfUrl(url: string): string {
  if (!URL.canParse(url)) return 'a URL that is none';
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

/** `https://cdn.example`: all URLs of an origin are one source in the metrics. */
export const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : 'other');
