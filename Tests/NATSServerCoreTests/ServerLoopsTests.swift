import Logging
import NATSTestSupport
import NIOCore
import NIOPosix
import Testing

@testable import NATSServerCore

/// Questions to event loops that end meanwhile: whoever asks is told in any case, with answers or without.
@Suite("questions to the event loops", .timeLimit(.minutes(2)))
struct ServerLoopsTests {
    private static func loops(on group: MultiThreadedEventLoopGroup) -> (loops: ServerLoops, all: [ServerLoop]) {
        let shared = ServerShared(
            options: ServerOptions(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        )
        let all = group.makeIterator().enumerated().map { index, eventLoop in
            ServerLoop(eventLoop: eventLoop, index: index, shared: shared)
        }
        let loops = ServerLoops()
        loops.set(all)
        return (loops, all)
    }

    @Test("answers come together though the loops end at the same time")
    func gather() async throws {
        let asking = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        for _ in 0..<100 {
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
            let (loops, all) = Self.loops(on: group)
            async let answers = loops.gather(on: asking.next()) { $0.index }.get()
            async let slices = loops.gatherInSlices(on: asking.next()) { $0.eventLoop.makeSucceededFuture($0.index) }
                .get()
            async let result = loops.result { all[0].eventLoop.submit { 7 } }
            _ = loops.takeAll()
            try await group.shutdownGracefully()
            let (own, inSlices, seven) = (try await answers, try await slices, try await result)
            #expect(own == [0, 1] || own.isEmpty)
            #expect(inSlices == [0, 1] || inSlices.isEmpty)
            #expect(seven == 7 || seven == nil)
        }
        try await asking.shutdownGracefully()
    }

    @Test("who has to be told of all answers is told once, and of no loops never")
    func collect() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 3)
        let (loops, _) = Self.loops(on: group)
        let told = Watched<[[Int]]>([])
        loops.collect {
            $0.index
        } completion: { answers in
            told.update { $0.append(answers.sorted()) }
        }
        try await eventually("all loops have answered") { !told.value.isEmpty }
        _ = loops.takeAll()
        loops.collect {
            $0.index
        } completion: { answers in
            told.update { $0.append(answers) }
        }
        loops.schedule(in: .zero) { told.update { $0.append([]) } }
        #expect(try await loops.result { group.next().makeSucceededFuture(1) } == nil)
        try await group.shutdownGracefully()
        #expect(told.value == [[0, 1, 2]])
    }
}
