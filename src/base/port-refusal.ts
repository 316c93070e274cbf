// Why a port could not be opened, as a message for the operator.

export interface PortRefusal {
  /** Of the system error, e.g. `EADDRINUSE`. */
  readonly code: string;
  /** For the operator. */
  readonly words: string;
}

export const portRefusal = (host: string, port: number, code: string, reason: string): PortRefusal => ({
  code,
  words: words(host, port, code, reason),
});

function words(host: string, port: number, code: string, reason: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is already in use (EADDRINUSE)`;
    case 'EACCES':
      return `Port ${port} on ${host} may not be opened by this user (EACCES)`;
    case 'EADDRNOTAVAIL':
      return `${host} is not an address of this machine (EADDRNOTAVAIL)`;
    case 'ENOTFOUND':
      return `The host name ${host} has no address (ENOTFOUND)`;
    default:
      return `Port ${port} on ${host} could not be opened: ${reason}`;
  }
}
