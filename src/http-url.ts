// Where an API listens, as a URL.
import { isIP } from 'node:net';

/** `localhost:3335`, `[::1]:3335` */
export const authority = (host: string, port: number): string => `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;

/** `http://localhost:3335` */
export const httpUrl = (host: string, port: number): string => `http://${authority(host, port)}`;
