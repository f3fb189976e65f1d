# One image for all roles.
#   docker build -t rankcast .
#   docker run -p 8080:8080 -v rankcast:/data -e RANKCAST_API_KEY=... -e RANKCAST_TOKEN_SECRET=... rankcast
#   docker run ... rankcast edge          (or: worker ranker, check-config, token --user ID, load ...)
# The operators' port (8081) binds loopback inside the container, where the health check asks; for probes and scrapes
# from outside set RANKCAST_OPS_HOST=0.0.0.0.
ARG NODE_IMAGE=node:20-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
COPY config/deploy/prune-binaries.mjs config/deploy/
RUN npm ci --prefer-offline --no-audit --no-fund && node config/deploy/prune-binaries.mjs node_modules
COPY . .
RUN npm run build && npm prune --omit=dev --offline --no-audit --no-fund
# the command's name, and the folder of the data, which the user of the image must own
RUN mkdir -p bin data && ln -s ../dist/config/main.js bin/rankcast && chmod 755 dist/config/main.js

FROM ${NODE_IMAGE}
ENV NODE_ENV=production RANKCAST_DATA=/data PATH=/app/bin:$PATH
WORKDIR /app
COPY --from=build --chown=1000:1000 /src/data /data
COPY --from=build /src/node_modules node_modules
COPY --from=build /src/bin bin
COPY --from=build /src/demo/data demo/data
COPY --from=build /src/package.json /src/LICENSE /src/NOTICE ./
COPY --from=build /src/dist dist
# `node` in the base image; a number, so that Kubernetes can see that it is not root
USER 1000:1000
VOLUME /data
EXPOSE 8080 8081
# the process itself drains and exits 0
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.RANKCAST_OPS_PORT || 8081}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["rankcast"]
CMD ["all"]
