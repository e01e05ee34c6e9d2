/** The parts of kafkajs 2.2 that it has no types for. See `protocol.ts` for why they are used. */
declare module 'kafkajs/src/protocol/requests/index.js' {
  interface RequestDefinition {
    readonly versions: readonly string[];
    protocol(version: { readonly version: number }): (args: object) => unknown;
  }
  const protocol: { readonly requests: Readonly<Record<string, RequestDefinition>> };
  export = protocol;
}

declare module 'kafkajs/src/protocol/requests/apiKeys.js' {
  const apiKeys: Readonly<Record<string, number>>;
  export = apiKeys;
}

declare module 'kafkajs/src/protocol/error.js' {
  const errors: {
    createErrorFromCode(code: number): Error & { readonly type: string; readonly retriable: boolean };
  };
  export = errors;
}

type Authenticating = (
  sasl: object,
) => (login: import('kafkajs').AuthenticationProviderArgs) => import('kafkajs').Authenticator;

declare module 'kafkajs/src/broker/saslAuthenticator/plain.js' {
  const provider: Authenticating;
  export = provider;
}

declare module 'kafkajs/src/broker/saslAuthenticator/scram256.js' {
  const provider: Authenticating;
  export = provider;
}

declare module 'kafkajs/src/broker/saslAuthenticator/scram512.js' {
  const provider: Authenticating;
  export = provider;
}

declare module 'kafkajs/src/broker/saslAuthenticator/oauthBearer.js' {
  const provider: Authenticating;
  export = provider;
}
