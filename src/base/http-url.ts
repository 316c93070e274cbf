// The URL of an API, from host and port.
import { BlockList, isIP } from 'node:net';

/** `localhost:3335`, `[::1]:3335` */
export const authority = (host: string, port: number): string => `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;

/** `http://localhost:3335` */
export const httpUrl = (host: string, port: number): string => `http://${authority(host, port)}`;

/** For appending a path. */
export const withoutLastSlashes = (url: string): string => /^(.*[^/])?\/*$/s.exec(url)?.[1] ?? '';

/** For logs and public documents. Empty for text that is not a URL: a password could be anywhere in it. */
export function withoutUser(text: string): string {
  if (!URL.canParse(text)) return '';
  const url = new URL(text);
  url.username = '';
  url.password = '';
  return url.href;
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/** Whether a name or address is loopback; IPv6 without brackets. */
export function isLoopback(name: string): boolean {
  if (name === 'localhost') return true;
  const family = isIP(name);
  return family !== 0 && loopback.check(name, family === 6 ? 'ipv6' : 'ipv4');
}
