# One image for every Keywatch service; docker-compose.yml chooses which one a container runs.
FROM node:24.21.0-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Without install scripts: every native package here ships its binary. chDB (half a gigabyte) serves only the
# embedded warehouse; containers use a ClickHouse server.
RUN npm ci --omit=dev --ignore-scripts && rm -rf node_modules/chdb node_modules/@chdb

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json tsconfig.json ./
COPY cli ./cli
COPY services ./services
COPY shared ./shared
# The user that the official image brings; nothing under /app belongs to it, so a service cannot change its code.
USER node
ENTRYPOINT []
CMD ["node", "cli/keywatch.js", "--help"]
