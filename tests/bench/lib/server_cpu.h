/* server_cpu.h: processor time and memory of processes and all their descendants, from /proc. */
#ifndef BENCH_SERVER_CPU_H
#define BENCH_SERVER_CPU_H

struct server_cpu {
	double seconds; /* user and system, reaped children included */
	int processes;
	double largest_pss; /* MB, of the leaf that has most; with memory */
};

/* pids: comma-separated.  memory: read PSS too (slow). */
struct server_cpu server_cpu_read(const char *pids, int memory);

#endif
