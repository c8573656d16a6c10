# The images of docker-compose.yml, all from Debian 12 and its packages:
#
#	docker build --target service -t fcgi-scep:latest .		fcgi-scep, fcgi-admin and scepctl
#	docker build --target nginx -t fcgi-scep-nginx:latest .		nginx with this project's configuration
#	docker build --target redis -t fcgi-scep-redis:latest .		Redis, append-only file, no network needed
#
# docker-compose build makes the three.  Behind a proxy: --build-arg http_proxy=… (apt-get follows it; it stays in no image).

ARG BASE=debian:bookworm-slim

# ---- what the three have in common ----------------------------------------------------------------------------------------------

# One user without a name in any other place, and the places of the volumes: a new volume takes owner and mode from here, whichever
# container is the first to mount it.  Containers keep each other out by what each mounts, not by users.
FROM $BASE AS common
RUN groupadd --system --gid 10001 scep \
	&& useradd --system --uid 10001 --gid 10001 --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin scep \
	&& install -d -o scep -g scep -m 0750 /var/lib/fcgi-scep /var/lib/fcgi-scep-redis \
	&& install -d -o scep -g scep -m 0700 /run/redis /run/secrets/master /run/secrets/passphrase \
		/run/secrets/fastcgi /run/tls

# ---- Redis ----------------------------------------------------------------------------------------------------------------------

FROM common AS redis
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends redis-server \
	&& rm -rf /var/lib/apt/lists/*
COPY docker/redis.conf /usr/share/fcgi-scep/
RUN chmod -R a+rX /usr/share/fcgi-scep
USER 10001:10001
CMD ["redis-server", "/usr/share/fcgi-scep/redis.conf"]

# ---- nginx ----------------------------------------------------------------------------------------------------------------------

FROM common AS nginx
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends nginx-light \
	&& rm -rf /var/lib/apt/lists/*
COPY nginx/ /usr/share/fcgi-scep/nginx/
COPY docker/nginx-start /usr/local/bin/
RUN chmod -R a+rX /usr/share/fcgi-scep /usr/local/bin
USER 10001:10001
STOPSIGNAL SIGQUIT
CMD ["nginx-start"]

# ---- the compiler stays in this stage -------------------------------------------------------------------------------------------

FROM $BASE AS build
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
	gcc libc6-dev make libfcgi-dev libssl-dev libhiredis-dev libsqlite3-dev libjansson-dev libcurl4-openssl-dev \
	&& rm -rf /var/lib/apt/lists/*
COPY . /src
RUN make -C /src -j"$(nproc)" B=/tmp/build install DESTDIR=/out PREFIX=/usr

# ---- the service ----------------------------------------------------------------------------------------------------------------

# libfcgi-bin has cgi-fcgi, by which the health check asks a worker itself; sqlite3 is for backups.
FROM common AS service
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
	libfcgi0ldbl libfcgi-bin libssl3 libhiredis0.14 libsqlite3-0 libjansson4 libcurl4 ca-certificates sqlite3 \
	&& rm -rf /var/lib/apt/lists/*
COPY --from=build /out/usr/sbin/ /usr/sbin/
COPY --from=build /out/usr/bin/ /usr/bin/
COPY docker/init docker/health /usr/local/bin/
RUN chmod -R a+rX /usr/local/bin
USER 10001:10001
CMD ["fcgi-scep"]
