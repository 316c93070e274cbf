// A plain HTTP origin: how the URL of an object is named in logs, conditions and metrics.

/** For logs and conditions: without user, password and query, which may contain a secret. */
export function nameOfUrl(url: string): string {
  if (!URL.canParse(url)) return 'an invalid URL';
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

/** `https://cdn.example`: all URLs of an origin are one source in the metrics. */
export const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : 'other');
